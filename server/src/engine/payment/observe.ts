import { Failure } from '@settlewire/core/errors'
import { makeId } from '@settlewire/core/id'
import { decide } from '@settlewire/core/payment/decide'
import type { Decision } from '@settlewire/core/payment/event'
import { isQuarantined } from '@settlewire/core/payment/judge'
import type { HeadMoved, Observation } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import type { ChainHead, Policy } from '@settlewire/core/payment/policy'
import { heldOf, quarantine } from '@settlewire/core/payment/quarantine'
import type { Clock } from '../../ports/clock.ts'

/** What a decision needs from outside: the policy in force, time and randomness. */
export interface Judge {
  readonly policy: Policy
  readonly clock: Pick<Clock, 'now' | 'random'>
  /** Called with the error of a bug of ours because of which a payment was quarantined. */
  readonly onFault?: (paymentId: string, error: unknown) => void
}

/** The context of one decision. The times of a payment's events never go backwards. */
export const contextOf = ({ policy, clock }: Judge, notBefore = 0) => ({
  policy,
  at: Math.max(clock.now(), notBefore),
  mint: (at: number) => makeId('evt', at, clock.random(10)),
})

/**
 * Observations of heads newer than the payment has on record. Heads that change nothing are not
 * stored, so a fact learned outside the steps must be judged together with the current depth.
 */
export function newerHeads(
  { terms, facts }: Payment,
  { headOf, at }: { readonly headOf: (chain: string) => ChainHead | null; readonly at: number },
): readonly HeadMoved[] {
  return [...new Set(terms.accept.map(({ chain }) => chain))].flatMap((chain) => {
    const head = headOf(chain)
    if (head === null || head.view <= (facts.heads[chain]?.view ?? -1)) return []
    return [{ ...head, kind: 'head' as const, source: 'settlewire', at, chain }]
  })
}

/**
 * Decides on the observations together with those held back for the payment earlier. If a bug of
 * ours makes that fail, only this payment is quarantined, with the observations, and everything
 * else continues. A new head alone is no reason to try a payment again that was quarantined; any
 * other observation is.
 */
export function observe(
  payment: Payment,
  observations: readonly Observation[],
  judge: Judge,
): Decision {
  const context = contextOf(judge, payment.head.at)
  const isOnlyHead = observations.length > 0 && observations.every(({ kind }) => kind === 'head')
  if (isOnlyHead && isQuarantined(payment)) return { events: [], payment }
  try {
    return decide(payment, [...heldOf(payment, context.at), ...observations], context)
  } catch (error) {
    if (error instanceof Failure) throw error
    return putAside(payment, { observations, error }, judge)
  }
}

/** Quarantines a payment, with the observations that could not be judged or stored. */
export function putAside(
  payment: Payment,
  {
    observations,
    error,
  }: { readonly observations: readonly Observation[]; readonly error: unknown },
  judge: Judge,
): Decision {
  judge.onFault?.(payment.id, error)
  const why = error instanceof Error ? error.message : 'unknown'
  return quarantine(payment, { observations, why }, contextOf(judge, payment.head.at))
}
