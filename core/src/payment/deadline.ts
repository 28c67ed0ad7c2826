import type { Instant } from '../instant.ts'
import type { Payment, Transaction } from './payment.ts'
import { deadlineOf } from './resolution.ts'
import { statusTable } from './status-model.ts'
import { canonicalInclusion, isOpenClaim, isPending } from './transaction.ts'

/** So long may a transaction be pending where the terms do not say. */
const pendingTtlMs = 4 * 60 * 60_000

/**
 * When the clock next has something to say of this payment: its expiry while the countdown runs,
 * then the end of the watch; before that, the time-out of a transaction that is pending. Stored
 * beside it as a row, so that no deadline dies with a process. It may lie in the past: then it was
 * asked, and stands until a fact moves it.
 */
export function nextDeadline(payment: Payment): Instant {
  const { monitorUntil } = payment.terms
  let next = statusTable[payment.status].countsDown ? deadlineOf(payment) : monitorUntil
  // What could not be judged is tried again by the clock, also by that of the next process.
  for (const { at } of payment.facts.held ?? []) next = Math.min(next, at)
  for (const transaction of waiting(payment)) next = Math.min(next, timeOut(payment, transaction))
  return next
}

/** A transaction whose time-out passed: every provider is to be asked whether it is gone. */
export interface Overdue {
  readonly chain: string
  readonly txHash: string
  /** When the time-out passed. */
  readonly since: Instant
}

/** What is past its time-out, in no block and not known to be gone. Rivals and claims included. */
export const overdue = (payment: Payment, now: Instant): readonly Overdue[] =>
  waiting(payment)
    .map((transaction) => ({
      ...{ chain: transaction.chain, txHash: transaction.txHash },
      since: timeOut(payment, transaction),
    }))
    .filter(({ since }) => since < now)

/** Transactions that the payer named and nobody has seen, in the order of facts. */
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
