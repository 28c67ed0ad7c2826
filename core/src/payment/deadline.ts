import type { Instant } from '../instant.ts'
import type { Payment, Transaction } from './payment.ts'
import { deadlineOf } from './resolution.ts'
import { statusTable } from './status-model.ts'
import { canonicalInclusion, isOpenClaim, isPending } from './transaction.ts'

/** How long a transaction may be pending if the terms do not say. */
const pendingTtlMs = 4 * 60 * 60_000

/**
 * When the clock next has to judge this payment. The earliest of: the deadline while the countdown
 * runs, else the end of the watch; the time-out of each pending or claimed transaction; the time of
 * each held observation, which the clock retries. Stored as a row beside the payment, so that no
 * deadline is lost with a process. A value in the past is due or was already judged; it changes
 * only with the next observation.
 */
export function nextDeadline(payment: Payment): Instant {
  const { monitorUntil } = payment.terms
  let next = statusTable[payment.status].countsDown ? deadlineOf(payment) : monitorUntil
  // The clock retries held observations, even if another process has taken over the deadlines.
  for (const { at } of payment.facts.held ?? []) next = Math.min(next, at)
  for (const transaction of waiting(payment)) next = Math.min(next, timeOut(payment, transaction))
  return next
}

/** A transaction past its time-out: every provider has to be asked whether it was dropped. */
export interface OverdueTransaction {
  readonly chain: string
  readonly txHash: string
  /** When the time-out passed. */
  readonly since: Instant
}

/**
 * Transactions past their time-out, in no block and not known as dropped, with rivals and claims.
 */
export const overdue = (payment: Payment, now: Instant): readonly OverdueTransaction[] =>
  waiting(payment)
    .map((transaction) => ({
      ...{ chain: transaction.chain, txHash: transaction.txHash },
      since: timeOut(payment, transaction),
    }))
    .filter(({ since }) => since < now)

/** Transactions that the payer named and that are still searched for, in the stored order. */
export const openClaims = (payment: Payment): readonly Transaction[] =>
  payment.facts.transactions.filter(isOpenClaim)

const waiting = ({ facts }: Payment): readonly Transaction[] =>
  facts.transactions.filter(
    (transaction) =>
      isOpenClaim(transaction) ||
      (isPending(transaction) && canonicalInclusion(transaction) === null),
  )

const timeOut = ({ terms }: Payment, { seenAt }: Transaction): Instant =>
  seenAt + (terms.pendingTtlMs ?? pendingTtlMs)
