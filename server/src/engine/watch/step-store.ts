import { Failure } from '@settlewire/core/errors'
import type { Decision } from '@settlewire/core/payment/event'
import type { BlockRef } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import type { ChainHead } from '@settlewire/core/payment/policy'
import type { ChainStep } from '../../ports/chain.ts'
import type { CursorMove, Unfinished } from '../../ports/history.ts'
import { readable } from '../write/draft.ts'
import type { PaymentWriter } from '../write/writer.ts'
import type { StepPlan } from './step-plan.ts'

/** A step on its way into the history. */
export interface StepInStore {
  readonly chain: string
  readonly step: ChainStep
  readonly plan: StepPlan
  /** As of the step before; null for the first one. */
  readonly from: ChainHead | null
  readonly decide: (payment: Payment) => Decision
  /** Sets a payment aside that the store refuses. */
  readonly putAside: (payment: Payment, error: unknown) => Decision
  /** Called with a payment that the step leaves out because its stored state cannot be read. */
  readonly unreadable?: (paymentId: string) => void
  /** Payments of one part. Left out: `partMax`. */
  readonly partSize?: number
}

/** So many payments are decided and stored at once: what waits behind them waits for no more. */
export const partMax = 128

/**
 * Stores what a step makes true, in parts of bounded size with all else going on between them: first
 * the payments that its blocks speak of, then those that only learn how far the chain has grown.
 *
 * The first part stores that the step is begun, with its blocks, and what it undoes is no longer passed
 * by the cursor. The last part passes the blocks that it applies. Where the process ends in between,
 * the blocks are left as unfinished, and the next step applies each of them again, or undoes it. Each
 * part holds only as long as the cursor stands where the part before it has left it.
 */
export async function storeStep(
  inStore: StepInStore,
  writer: Pick<PaymentWriter, 'submit'>,
): Promise<void> {
  const { plan, decide, putAside, unreadable, partSize = partMax } = inStore
  const put: Put = (ids, cursor, aside) =>
    writer.submit({
      ids,
      decide: (payments) => ({
        decisions: ids.flatMap((id) => {
          // An opening that was announced to the watch set but did not commit has no payment. One whose
          // state cannot be read is left out by itself.
          const payment = readable(payments, id, unreadable)
          if (payment === null) return []
          const isAside = aside?.ids.has(id) === true
          return [isAside ? putAside(payment, aside.error) : decide(payment)]
        }),
        cursor,
        answer: null,
      }),
    })
  const ids = [...plan.touched, ...plan.moved]
  if (ids.length <= partSize) return putSound(put, ids, wholeOf(inStore))
  const { begin, goOn, finish } = movesOf(inStore)
  for (let from = 0; from < ids.length; from += partSize) {
    const isLast = from + partSize >= ids.length
    const move = from === 0 ? begin : isLast ? finish : goOn
    await putSound(put, ids.slice(from, from + partSize), move)
  }
}

/** Whether it is more than one transaction: only then can it end half-way. */
export const isSplit = ({ plan, partSize = partMax }: StepInStore): boolean =>
  plan.touched.length + plan.moved.length > partSize

/** The step as one transaction. */
const wholeOf = ({ chain, step }: StepInStore): CursorMove => ({
  ...{ chain, fromView: step.head.view - 1, fromOpen: step.unfinished?.isOpen ?? false },
  head: step.head,
  reverted: hashesOf(step.reverted),
  applied: blocksOf(step),
  ...(step.unfinished !== undefined && { unfinished: leftUnfinished(step) }),
})

/** How the cursor moves with the first part of a step, with those between, and with the last one. */
function movesOf(inStore: StepInStore): Readonly<Record<'begin' | 'goOn' | 'finish', CursorMove>> {
  const { chain, step, from } = inStore
  const { view, finalized } = step.head
  const whole = wholeOf(inStore)
  const blocks = new Map(
    [...(step.unfinished?.blocks ?? []), ...step.reverted, ...blocksOf(step)].map(
      (block) => [block.hash, block] as const,
    ),
  )
  // It stands below all of them until the last part. What is final below it is told by that part alone.
  const under = Math.min(...[...blocks.values()].map(({ number }) => number)) - 1
  const head = {
    ...{ view, safe: from?.safe ?? null, finalized: from?.finalized ?? null },
    head: blocks.size === 0 ? step.head.head : under,
  }
  const final = blocksOf(step).filter(({ number }) => number <= (finalized ?? -1))
  const unfinished: Unfinished = {
    ...{ isOpen: true, blocks: [...blocks.values()] },
    final: [...(step.unfinished?.final ?? []), ...hashesOf(final)],
  }
  const inside = { chain, fromView: view, fromOpen: true, reverted: [] }
  return {
    begin: { ...whole, head, applied: [], unfinished },
    goOn: { ...inside, head, applied: [] },
    finish: {
      ...inside,
      head: step.head,
      applied: whole.applied,
      unfinished: leftUnfinished(step),
    },
  }
}

/** The blocks of unfinished steps that this step neither undoes nor applies. */
function leftUnfinished(step: ChainStep): Unfinished | null {
  if (step.unfinished === undefined) return null
  const settled = new Set([...hashesOf(step.reverted), ...hashesOf(blocksOf(step))])
  const blocks = step.unfinished.blocks.filter(({ hash }) => !settled.has(hash))
  return blocks.length === 0 ? null : { ...step.unfinished, isOpen: false, blocks }
}

const blocksOf = ({ applied }: ChainStep): readonly BlockRef[] => applied.map(({ block }) => block)

const hashesOf = (blocks: readonly BlockRef[]): readonly string[] => blocks.map(({ hash }) => hash)

type Put = (
  ids: readonly string[],
  cursor: CursorMove,
  aside?: { readonly ids: ReadonlySet<string>; readonly error: unknown },
) => Promise<null>

/**
 * What the store refuses, and is no failure of the store, lies in one of the payments, as a text that
 * it cannot hold. Each is set aside for once until the rest goes in, at last all: nothing of the part
 * was stored before.
 */
async function putSound(put: Put, ids: readonly string[], cursor: CursorMove): Promise<void> {
  const suspects = ids.length === 0 ? [] : [...ids.map((id) => [id]), ids]
  let refused: unknown
  for (const suspect of [null, ...suspects]) {
    try {
      const aside = suspect === null ? undefined : { ids: new Set(suspect), error: refused }
      await put(ids, cursor, aside)
      return
    } catch (error) {
      if (error instanceof Failure) throw error
      refused = error
    }
  }
  throw refused
}
