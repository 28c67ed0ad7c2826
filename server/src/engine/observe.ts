import { decide } from '@settlewire/core/decide'
import type { Decision, PaymentEvent } from '@settlewire/core/event'
import { makeId } from '@settlewire/core/id'
import type { Observation } from '@settlewire/core/observation'
import type { Payment } from '@settlewire/core/payment'
import type { Policy } from '@settlewire/core/policy'
import type { Clock } from '../ports.ts'

/** What a decision needs from outside: the policy in force, and the world's time and chance. */
export interface Judge {
  readonly policy: Policy
  readonly clock: Pick<Clock, 'now' | 'random'>
}

/** The context of one decision. The time of a payment's events never runs backwards. */
export const contextOf = ({ policy, clock }: Judge, notBefore = 0) => ({
  policy,
  at: Math.max(clock.now(), notBefore),
  mint: (at: number) => makeId('evt', at, clock.random(10)),
})

/** What the observations make true together, in order. */
export function observe(
  payment: Payment,
  observations: readonly Observation[],
  judge: Judge,
): Decision {
  const events: PaymentEvent[] = []
  let current = payment
  for (const observation of observations) {
    const decision = decide(current, observation, contextOf(judge, current.head.at))
    // What made no event is not on record, so nothing may be built on it.
    if (decision.events.length === 0) continue
    events.push(...decision.events)
    current = decision.payment
  }
  return { events, payment: current }
}
