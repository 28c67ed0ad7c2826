import { replacedIn } from './contest.ts'
import type { Judgement } from './judge.ts'
import type { Facts, Transaction, Transfer } from './payment.ts'
import { transactionName } from './transaction.ts'
import { isExpected, isIncluded } from './transfer.ts'

/** The fields of an event that describe its transaction. */
export type EventTransaction = Pick<Transfer, 'chain' | 'accept' | 'confirmations'> & {
  readonly requiredConfirmations: number | null
  /** Null if no source showed the winner of the contest. */
  readonly txHash: string | null
}

/** A transaction lost its contest to another. */
export interface TransactionReplacement {
  /** The transaction that is no longer expected. */
  readonly txHash: string
  readonly by: EventTransaction
  readonly reason: 'replaced_still_pays' | 'replaced_elsewhere'
}

/**
 * The replacements that new facts reveal. A transaction that no node had shown, or that was
 * replaced before, is left out.
 */
export function replacementsIn(
  { transactions }: Facts,
  before: Judgement,
  after: Judgement,
): readonly TransactionReplacement[] {
  if (!after.transfers.some(({ stage }) => stage === 'replaced')) return []
  const known = new Set(
    before.transfers
      .filter(({ stage }) => stage !== 'replaced' && stage !== 'claimed')
      .map(transactionName),
  )
  const lost = new Map<string, Transfer>()
  for (const transfer of after.transfers) {
    const name = transactionName(transfer)
    if (transfer.stage === 'replaced' && known.has(name) && !lost.has(name))
      lost.set(name, transfer)
  }
  if (lost.size === 0) return []
  const winners = new Map(
    [...replacedIn(transactions)].map(
      ([loser, winner]) => [transactionName(loser), winner] as const,
    ),
  )
  const transfers = new Map(
    [...after.transfers].reverse().map((one) => [transactionName(one), one] as const),
  )
  return [...lost].map(([name, transfer]) => {
    const winner = winners.get(name) ?? null
    const by = winner === null ? null : (transfers.get(transactionName(winner)) ?? null)
    const pays = by !== null && (isExpected(by.stage) || isIncluded(by.stage))
    return {
      txHash: transfer.txHash,
      by: by ?? unseen(transfer, winner),
      reason: pays ? ('replaced_still_pays' as const) : ('replaced_elsewhere' as const),
    }
  })
}

const unseen = ({ chain, accept }: Transfer, winner: Transaction | null): EventTransaction => ({
  ...{ chain, accept, txHash: winner?.txHash ?? null },
  ...{ confirmations: 0, requiredConfirmations: null },
})
