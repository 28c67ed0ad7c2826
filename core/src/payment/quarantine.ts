import { plain, revive } from '../history/plain-json.ts'
import { type Context, makeEvents } from './decide.ts'
import type { Decision } from './event.ts'
import { mergeAll } from './facts.ts'
import { isQuarantined, unjudged } from './judge.ts'
import type { Observation, Quarantined } from './observation.ts'
import type { Payment } from './payment.ts'

/** How many held entries a payment may have. A rescan finds later whatever does not fit. */
export const heldMax = 256
/** Fewer for pools: anyone can fill a pool, and what matters comes again in a block. */
const heldOfPoolsMax = heldMax / 4

/**
 * Handles observations that an internal fault prevents from being judged: the payment is
 * quarantined as `investigation_required`. The observations are held with it and not merged, so
 * that no judgement here meets the same fault. Observations that only say how far a chain was read
 * are not held, because they come again. Yields no events if the payment is quarantined already,
 * and there is nothing to hold or no room for it.
 */
export function quarantine(
  payment: Payment,
  { observations, why }: { readonly observations: readonly Observation[]; readonly why: string },
  context: Context,
): Decision {
  const held = observations.filter(({ kind }) => !passing.has(kind))
  const known = payment.facts.held ?? []
  const isOfPools = held.every(({ kind }) => kind === 'mempool' || kind === 'rival')
  const isFull = known.length >= (isOfPools ? heldOfPoolsMax : heldMax)
  if (isQuarantined(payment) && (held.length === 0 || isFull)) return { events: [], payment }
  const at = Math.max(context.at, (payment.facts.takenUpAt ?? 0) + 1)
  const fact: Quarantined = {
    ...{ kind: 'quarantined', source: 'settlewire', at, why: why.slice(0, whyMax) },
    held: JSON.stringify(plain(held)),
  }
  const { facts } = mergeAll(payment.facts, [fact], payment.terms)
  const status = 'investigation_required'
  const type = payment.status === status ? 'updated' : status
  return makeEvents({ ...payment, facts }, [{ type, status }], {
    context,
    judgement: unjudged(payment),
    evidence: { facts: [fact], policy: context.policy.version },
  })
}

/**
 * The held observations of a payment, to be retried in order, with a `taken_up` in front; empty if
 * it is not quarantined.
 */
export function heldOf(payment: Payment, at: number): readonly Observation[] {
  const { held = [] } = payment.facts
  const last = held.at(-1)
  if (last === undefined) return []
  const taken = { kind: 'taken_up', source: 'settlewire', at: Math.max(at, last.at) } as const
  // As `quarantine` wrote it.
  return [taken, ...held.flatMap((one) => revive(JSON.parse(one.held)) as Observation[])]
}

const passing: ReadonlySet<Observation['kind']> = new Set(['head', 'clock', 'taken_up'])
const whyMax = 200
