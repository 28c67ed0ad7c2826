import { Failure } from '@settlewire/core/errors'
import type { Decision } from '@settlewire/core/event'
import type { Payment } from '@settlewire/core/payment'
import type { ChainHead } from '@settlewire/core/policy'
import type { ChainStep, CursorMove } from '../ports.ts'
import type { StepPlan } from './step-plan.ts'
import type { PaymentWriter } from './writer.ts'

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
}

/** So many payments are decided and stored at once: what waits behind them waits for no more. */
export const partMax = 64

/**
 * Stores what a step makes true, in parts of bounded size with all else going on between them. First
 * the payments that only learn how far the chain has grown; last, in one transaction with the cursor,
 * those that its blocks speak of. So a step that ends half-way has left nothing of a block that was
 * never passed: it is read again, maybe on another branch, and tells the same heads or later ones. Each
 * part holds only as long as the cursor stands where the step began.
 */
export async function storeStep(
  { chain, step, plan, from, decide, putAside }: StepInStore,
  writer: Pick<PaymentWriter, 'submit'>,
): Promise<void> {
  const fromView = step.head.view - 1
  const put: Put = (ids, cursor, aside) =>
    writer.submit({
      ids,
      decide: (payments) => ({
        decisions: ids.flatMap((id) => {
          // An opening that was announced to the watch set but did not commit has no payment.
          const payment = payments.get(id)
          if (payment === null) return []
          const isAside = aside?.ids.has(id) === true
          return [isAside ? putAside(payment, aside.error) : decide(payment)]
        }),
        ...(cursor !== null && { cursor }),
        answer: null,
      }),
    })
  const standing = from === null ? null : { chain, fromView, head: from, reverted: [], applied: [] }
  const isSmall = plan.moved.length + plan.touched.length <= partMax
  const parts = isSmall ? [] : partsOf(plan.moved)
  for (const part of parts) await putSound(put, part, standing)
  await putSound(put, isSmall ? [...plan.touched, ...plan.moved] : plan.touched, {
    ...{ chain, fromView, head: step.head },
    reverted: step.reverted.map(({ hash }) => hash),
    applied: step.applied.map(({ block }) => block),
  })
}

type Put = (
  ids: readonly string[],
  cursor: CursorMove | null,
  aside?: { readonly ids: ReadonlySet<string>; readonly error: unknown },
) => Promise<null>

/**
 * What the store refuses, and is no failure of the store, lies in one of the payments, as a text that
 * it cannot hold. Each is set aside for once until the rest goes in: nothing was stored before. Among
 * too many all are set aside, and taken up again one by one.
 */
async function putSound(
  put: Put,
  ids: readonly string[],
  cursor: CursorMove | null,
): Promise<void> {
  let refused: unknown
  try {
    await put(ids, cursor)
    return
  } catch (error) {
    if (error instanceof Failure || ids.length === 0) throw error
    refused = error
  }
  const suspects = ids.length > partMax ? [] : ids.map((id) => [id])
  for (const suspect of [...suspects, ids]) {
    try {
      await put(ids, cursor, { ids: new Set(suspect), error: refused })
      return
    } catch (error) {
      if (error instanceof Failure) throw error
      refused = error
    }
  }
  throw refused
}

const partsOf = (ids: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(ids.length / partMax) }, (_, i) =>
    ids.slice(i * partMax, (i + 1) * partMax),
  )
