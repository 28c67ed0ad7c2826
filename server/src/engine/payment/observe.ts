import { Failure } from '@settlewire/core/errors'
import { makeId } from '@settlewire/core/id'
import { decide } from '@settlewire/core/payment/decide'
import type { Decision } from '@settlewire/core/payment/event'
import { isSetAside } from '@settlewire/core/payment/judge'
import type { HeadMoved, Observation } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import type { ChainHead, Policy } from '@settlewire/core/payment/policy'
import { heldOf, setAside } from '@settlewire/core/payment/set-aside'
import type { Clock } from '../../ports/clock.ts'

/** What a decision needs from outside: the policy in force, and the world's time and chance. */
export interface Judge {
  readonly policy: Policy
  readonly clock: Pick<Clock, 'now' | 'random'>
  /** Told of a fault of ours that a payment was set aside for. */
  readonly onFault?: (paymentId: string, error: unknown) => void
}

/** The context of one decision. The time of a payment's events never runs backwards. */
export const contextOf = ({ policy, clock }: Judge, notBefore = 0) => ({
  policy,
  at: Math.max(clock.now(), notBefore),
  mint: (at: number) => makeId('evt', at, clock.random(10)),
})

/**
 * How far the chains of a payment have grown, where it has less on record: heads that change nothing are
 * not told, so what is learned beside the steps is judged with them, as deep as it lies by now.
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
 * What the observations make true together, and with them what was held of the payment before. A fault
 * of ours concerns this payment alone: it is set aside, with what it could not be judged by, and all
 * else goes on. A chain that grows is no reason to try again; anything else is.
 */
export function observe(
  payment: Payment,
  observations: readonly Observation[],
  judge: Judge,
): Decision {
  const context = contextOf(judge, payment.head.at)
  const isOnlyHead = observations.length > 0 && observations.every(({ kind }) => kind === 'head')
  if (isOnlyHead && isSetAside(payment)) return { events: [], payment }
  try {
    return decide(payment, [...heldOf(payment, context.at), ...observations], context)
  } catch (error) {
    if (error instanceof Failure) throw error
    return putAside(payment, { observations, error }, judge)
  }
}

/** Sets a payment aside, with what it could not be judged or stored by. */
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
  return setAside(payment, { observations, why }, contextOf(judge, payment.head.at))
}
