import { assert } from '../assert.ts'
import { follow } from './decide.ts'
import type { EventData, PaymentEvent, PaymentOpening } from './event.ts'
import { mergeAll, noFacts } from './facts.ts'
import { judge, unjudged } from './judge.ts'
import type { Observation } from './observation.ts'
import type { Payment } from './payment.ts'
import type { Policy } from './policy.ts'

/** The part of an event that a fold needs. */
export interface Foldable extends Omit<PaymentEvent, 'data'> {
  readonly data: Pick<EventData, 'id' | 'sequence' | 'status'>
}

/** Returns the policy of a version, for every version that ever decided. */
export type PolicyOf = (version: string) => Policy

/**
 * Rebuilds a payment from its events: equal, to the last field, to the payment that the decisions
 * produced. Each event is judged under its own policy, so a changed policy never rewrites the past.
 */
export function fold(events: readonly Foldable[], policyOf: PolicyOf): Payment {
  return applyAll(null, events, policyOf)
}

/**
 * The payment after a run of events. Each judgement replaces the one before, so only the last event
 * of the run is judged, and each event before one that could not be judged, which keeps its values.
 */
export function applyAll(
  before: Payment | null,
  events: readonly Foldable[],
  policyOf: PolicyOf,
): Payment {
  let payment = before
  for (const [index, event] of events.entries()) {
    const next = events[index + 1]
    const isLast = next === undefined || isUnjudged(next)
    payment = advance(payment, event, isLast ? policyOf : null)
  }
  assert(payment !== null, 'a payment has a first event')
  return payment
}

/** The payment after one more event. The first event must open it; sequences have no gap. */
export const apply = (payment: Payment | null, event: Foldable, policyOf: PolicyOf): Payment =>
  advance(payment, event, policyOf)

/** Null for `policyOf` skips the judgement: the values of the one before stay for now. */
function advance(payment: Payment | null, event: Foldable, policyOf: PolicyOf | null): Payment {
  const [fact] = event.evidence.facts
  if (fact?.kind === 'opened') {
    assert(payment === null && event.data.sequence === 1, 'only the first event opens a payment')
    const { merchantId, livemode, transactionId, terms } = fact
    return {
      ...{ id: event.data.id, merchantId, livemode, transactionId, createdAt: event.at, terms },
      ...{ facts: noFacts, sequence: 1, status: 'awaiting', flags: [], finality: 'none' },
      ...{ received: 0n, pending: 0n, detectedAt: null, settledAt: null, reason: null },
      ...{ toldSuccess: false, head: { eventId: event.id, type: event.type, at: event.at } },
    }
  }
  assert(payment !== null, 'the first event opens the payment')
  assert(event.data.sequence === payment.sequence + 1, 'sequences have no gap')
  const { facts } = mergeAll(
    payment.facts,
    event.evidence.facts.filter(isObservation),
    payment.terms,
  )
  // Success counts as emitted from the next event on, as it did when the decision was made.
  const judgement =
    policyOf === null || isUnjudged(event)
      ? unjudged(payment)
      : judge({ ...payment, facts }, policyOf(event.evidence.policy))
  const { id, type, at, data } = event
  return follow({ ...payment, facts }, { id, type, status: data.status, at }, judgement)
}

const isUnjudged = ({ evidence }: Foldable): boolean =>
  evidence.facts.some(({ kind }) => kind === 'quarantined')

const isObservation = (fact: PaymentOpening | Observation): fact is Observation =>
  fact.kind !== 'opened'
