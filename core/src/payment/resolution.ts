import type { Instant } from '../instant.ts'
import type { Facts, Resolution, Terms } from './payment.ts'
import { transactionName } from './transaction.ts'

/** The decisions of people about a payment, as far as they still hold. */
export interface ResolutionsInForce {
  /** Names of the transactions whose money no longer counts. */
  readonly setAside: ReadonlySet<string>
  /**
   * The last `accept`; null if nothing was accepted, or if a later decision set money aside. It
   * holds while as much money as then is still in blocks, and every transaction that it covers.
   */
  readonly accepted: Resolution | null
  /** The time of the first `wait`, which lets the payer pay until the end of the watch. */
  readonly waitsSince: Instant | null
  /** Whether a person gave up a success whose money was lost. */
  readonly writtenOff: boolean
}

/** Reasons why a success that was emitted no longer stands. */
const lostSuccess: ReadonlySet<string | null> = new Set([
  'reorged_after_success',
  'denied_after_success',
])

/** Whether a payment has its status because the money of its success is lost. */
export const isLostSuccess = ({ reason }: { readonly reason: string | null }): boolean =>
  lostSuccess.has(reason)

/** The state without any decision. */
const undecided: ResolutionsInForce = {
  setAside: new Set(),
  accepted: null,
  waitsSince: null,
  writtenOff: false,
}

/** Applies the decisions in order: a later one overrides an earlier one that it contradicts. */
export function resolutionsInForce({ resolutions = [] }: Facts): ResolutionsInForce {
  if (resolutions.length === 0) return undecided
  const setAside = new Set<string>()
  let accepted: Resolution | null = null
  let waitsSince: Instant | null = null
  let writtenOff = false
  for (const resolution of resolutions) {
    const { action, at, on, of = [] } = resolution
    // A decision on a payment that succeeded is only a note and changes nothing.
    if (on?.status === 'succeeded') continue
    if (action === 'accept') {
      accepted = resolution
      writtenOff = false
    } else if (action === 'wait') {
      waitsSince = waitsSince ?? at
    } else {
      for (const name of of) setAside.add(transactionName(name))
      accepted = null
      if (on !== undefined && isLostSuccess(on)) writtenOff = true
    }
  }
  return { setAside, accepted, waitsSince, writtenOff }
}

/** Until when a payment is in time: a decision `wait` extends this to the end of the watch. */
export const deadlineOf = ({ terms, facts }: { terms: Terms; facts: Facts }): Instant =>
  resolutionsInForce(facts).waitsSince === null ? terms.expiresAt : terms.monitorUntil
