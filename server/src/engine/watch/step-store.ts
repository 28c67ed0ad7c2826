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

/** A step to be stored. */
export interface StepInStore {
  readonly chain: string
  readonly step: ChainStep
  readonly plan: StepPlan
  /** The head after the previous step; null for the first one. */
  readonly from: ChainHead | null
  readonly decide: (payment: Payment) => Decision
  /** Quarantines a payment that the store refuses. */
  readonly putAside: (payment: Payment, error: unknown) => Decision
  /** Called with a payment that the step leaves out because its stored state cannot be read. */
  readonly unreadable?: (paymentId: string) => void
  /** How many payments one part holds. Left out: `partMax`. */
  readonly partSize?: number
}

/** How many payments are decided and stored at once. Other work waits for at most one part. */
export const partMax = 128

/**
 * Stores the effects of a step in parts of bounded size, so that other writes run between them:
 * first the payments with transactions in its blocks, then those that only get the new head.
 *
 * The first part records that the step has begun, with its blocks, and moves the cursor below the
 * blocks that it undoes. The last part moves the cursor over the applied blocks. If the process
 * ends in between, the blocks stay recorded as unfinished, and the next step applies or undoes each
 * of them. A part commits only if the cursor is where the previous part left it.
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
          // An opening that was announced to the watch set but did not commit has no payment. A
          // payment whose state cannot be read is left out.
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

/** Whether the step takes more than one transaction, so that it can end half-way. */
export const isSplit = ({ plan, partSize = partMax }: StepInStore): boolean =>
  plan.touched.length + plan.moved.length > partSize

/** The step as one transaction. */
const wholeOf = ({ chain, step }: StepInStore): CursorMove => ({
  chain,
  fromView: step.head.view - 1,
  fromOpen: step.unfinished?.isOpen ?? false,
  head: step.head,
  reverted: hashesOf(step.reverted),
  applied: blocksOf(step),
  ...(step.unfinished !== undefined && { unfinished: leftUnfinished(step) }),
})

/** The cursor moves of a step's first part, of the parts between, and of its last part. */
function movesOf(inStore: StepInStore): Readonly<Record<'begin' | 'goOn' | 'finish', CursorMove>> {
  const { chain, step, from } = inStore
  const { view, finalized } = step.head
  const whole = wholeOf(inStore)
  const blocks = new Map(
    [...(step.unfinished?.blocks ?? []), ...step.reverted, ...blocksOf(step)].map(
      (block) => [block.hash, block] as const,
    ),
  )
  // Until the last part the cursor stays below all blocks of the step, with the old `finalized`.
  const under = Math.min(...[...blocks.values()].map(({ number }) => number)) - 1
  const head = {
    view,
    safe: from?.safe ?? null,
    finalized: from?.finalized ?? null,
    head: blocks.size === 0 ? step.head.head : under,
  }
  const final = blocksOf(step).filter(({ number }) => number <= (finalized ?? -1))
  const unfinished: Unfinished = {
    isOpen: true,
    blocks: [...blocks.values()],
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
 * A refusal that is not a `Failure` of the store is caused by one of the payments, for example by a
 * text that it cannot store. Sets each payment aside in turn until the rest is accepted, at last
 * all of them. A refused part has stored nothing.
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
