import { replacedIn } from '@settlewire/core/payment/contest'
import type { Payment, Terms, Transaction } from '@settlewire/core/payment/payment'
import { isLostSuccess } from '@settlewire/core/payment/resolution'
import {
  canonicalInclusion,
  deniedInclusion,
  isDenied,
  isOpenClaim,
  isPending,
} from '@settlewire/core/payment/transaction'
import type { Corroborated } from '../../ports/chain.ts'
import type { Open } from './open-in-blocks.ts'

/**
 * The open state of each transaction of a payment. A transaction that lost its contest to one in a
 * block is decided by that block: it can no longer pay, and it is closed together with the winner.
 */
export function openTransactions(
  payment: Payment,
): readonly (readonly [transaction: Transaction, open: Open])[] {
  const { transactions, heads } = payment.facts
  const lost = replacedIn(transactions)
  // Keep it open at any depth as long as success waits for more than depth.
  const { status, reason } = payment
  const held = status === 'confirming' || reason === 'sources_disagree' || waitsAgain(payment)
  const isOnSeveral = new Set(payment.terms.accept.map(({ chain }) => chain)).size > 1
  return transactions.map((transaction) => {
    const winner = lost.get(transaction) ?? null
    const blockNumber = blockOf(transaction) ?? (winner === null ? null : blockOf(winner))
    const isLive = blockNumber === null ? isPending(transaction) : isPaid(transaction)
    const open: Open = {
      blockNumber,
      held,
      succeeded: payment.status === 'succeeded',
      contest: transaction.contest ?? null,
      knownTo: isOnSeveral ? (heads[transaction.chain] ?? nothing) : null,
      live: isLive && !lost.has(transaction),
      denied: isDenied(transaction),
      claimed: isOpenClaim(transaction),
      paid: paidOf(transaction),
    }
    return [transaction, open]
  })
}

/** The head of a chain for which the payment has no head on record. */
const nothing = { view: 0, head: 0, safe: null, finalized: null }

/** Whether a success was taken back and enough money is in blocks again. */
const waitsAgain = (payment: Payment): boolean =>
  isLostSuccess(payment) && payment.received >= payment.terms.amount - payment.terms.tolerance

const blockOf = (transaction: Transaction): number | null =>
  canonicalInclusion(transaction)?.block?.number ?? null

/** What its canonical block holds for this payment, even if every source denies it now. */
function paidOf(transaction: Transaction): Corroborated | null {
  const inclusion = canonicalInclusion(transaction) ?? deniedInclusion(transaction)
  if (inclusion?.outcome !== 'paid' || inclusion.block === null) return null
  const { block, transfers } = inclusion
  return { txHash: transaction.txHash, block, transfers }
}

const isPaid = (transaction: Transaction): boolean =>
  canonicalInclusion(transaction)?.outcome === 'paid'

const pendingTtlDefaultMs = 4 * 3_600_000

/** How long a transaction of this payment may be pending before it is checked for a drop. */
export const pendingTtlOf = ({ pendingTtlMs }: Terms): number => pendingTtlMs ?? pendingTtlDefaultMs
