import { replacedIn } from './contest.ts'
import type { Judgement } from './judge.ts'
import type { Facts, Transaction, Transfer } from './payment.ts'
import { nameOf } from './transaction.ts'
import { isExpected, isIncluded } from './transfer.ts'

/** What an event names of the transaction that it is about. */
export type Subject = Pick<Transfer, 'chain' | 'accept' | 'confirmations'> & {
  readonly requiredConfirmations: number | null
  /** Null where nobody saw it. */
  readonly txHash: string | null
}

/** A transaction that was expected lost its contest to another. */
export interface Replacement {
  /** The one that is not expected any more. */
  readonly txHash: string
  readonly by: Subject
  readonly reason: 'replaced_still_pays' | 'replaced_elsewhere'
}

/** The replacements that new facts make known. What never was expected is not replaced. */
export function replacementsIn(
  { transactions }: Facts,
  before: Judgement,
  after: Judgement,
): readonly Replacement[] {
  if (!after.transfers.some(({ stage }) => stage === 'replaced')) return []
  const expected = new Set(
    before.transfers.filter(({ stage }) => stage !== 'replaced' && stage !== 'claimed').map(nameOf),
  )
  const lost = new Map<string, Transfer>()
  for (const transfer of after.transfers) {
    const name = nameOf(transfer)
    if (transfer.stage === 'replaced' && expected.has(name) && !lost.has(name))
      lost.set(name, transfer)
  }
  if (lost.size === 0) return []
  const winners = new Map(
    [...replacedIn(transactions)].map(([loser, winner]) => [nameOf(loser), winner] as const),
  )
  const transfers = new Map(
    [...after.transfers].reverse().map((one) => [nameOf(one), one] as const),
  )
  return [...lost].map(([name, transfer]) => {
    const winner = winners.get(name) ?? null
    const by = winner === null ? null : (transfers.get(nameOf(winner)) ?? null)
    const pays = by !== null && (isExpected(by.stage) || isIncluded(by.stage))
    return {
      txHash: transfer.txHash,
      by: by ?? unseen(transfer, winner),
      reason: pays ? ('replaced_still_pays' as const) : ('replaced_elsewhere' as const),
    }
  })
}

const unseen = ({ chain, accept }: Transfer, winner: Transaction | null): Subject => ({
  ...{ chain, accept, txHash: winner?.txHash ?? null },
  ...{ confirmations: 0, requiredConfirmations: null },
})
