import type { Instant } from '../instant.ts'
import type { Facts, Resolution, Terms } from './payment.ts'
import { nameOf } from './transaction.ts'

/** What people have decided of a payment, as far as it still holds. */
export interface Standing {
  /** Transactions, by name, whose money counts no longer. */
  readonly setAside: ReadonlySet<string>
  /** The last word that what stood in blocks is enough; it holds while that much still stands there. */
  readonly accepted: Resolution | null
  /** Since when the request may be paid until the end of the watch. */
  readonly waitsSince: Instant | null
  /** Whether a success that was lost was given up. */
  readonly writtenOff: boolean
}

/** Why a success that was told does not stand. */
const lostSuccess: ReadonlySet<string | null> = new Set([
  'reorged_after_success',
  'denied_after_success',
])

/** Whether a payment stands where it does because the money of its success is lost. */
export const isLostSuccess = ({ reason }: { readonly reason: string | null }): boolean =>
  lostSuccess.has(reason)

/** Nobody decided anything. */
const undecided: Standing = {
  setAside: new Set(),
  accepted: null,
  waitsSince: null,
  writtenOff: false,
}

/** Reads the decisions in their order: a later one takes back what it contradicts. */
export function standingOf({ resolutions = [] }: Facts): Standing {
  if (resolutions.length === 0) return undecided
  const setAside = new Set<string>()
  let accepted: Resolution | null = null
  let waitsSince: Instant | null = null
  let writtenOff = false
  for (const resolution of resolutions) {
    const { action, at, on, of = [] } = resolution
    // What is noted on a payment that succeeded changes nothing of it.
    if (on?.status === 'succeeded') continue
    if (action === 'accept') {
      accepted = resolution
      writtenOff = false
    } else if (action === 'wait') {
      waitsSince = waitsSince ?? at
    } else {
      for (const name of of) setAside.add(nameOf(name))
      accepted = null
      if (on !== undefined && isLostSuccess(on)) writtenOff = true
    }
  }
  return { setAside, accepted, waitsSince, writtenOff }
}

/** Until when the request may be paid in time: a person can let it wait as long as it is watched. */
export const deadlineOf = ({ terms, facts }: { terms: Terms; facts: Facts }): Instant =>
  standingOf(facts).waitsSince === null ? terms.expiresAt : terms.monitorUntil
