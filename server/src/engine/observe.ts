import { decide } from '@settlewire/core/decide'
import type { Decision } from '@settlewire/core/event'
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

/** What the observations make true together. */
export const observe = (
  payment: Payment,
  observations: readonly Observation[],
  judge: Judge,
): Decision => decide(payment, observations, contextOf(judge, payment.head.at))
