import type { Judgement } from './judge.ts'
import type { Facts, Transaction, Transfer } from './payment.ts'
import { replacedIn } from './slot-group.ts'
import { nameOf } from './transaction.ts'
import { isExpected, isIncluded } from './transfer.ts'

/** What an event names of the transaction that it is about. */
export type Subject = Pick<Transfer, 'chain' | 'accept' | 'confirmations'> & {
  readonly requiredConfirmations: number | null
  /** Null where nobody saw it. */
  readonly txHash: string | null
}

/** A transaction that was expected gave its slot to another. */
export interface Replacement {
  /** The one that is not expected any more. */
  readonly txHash: string
  readonly by: Subject
  readonly reason: 'replaced_still_pays' | 'replaced_elsewhere'
}

/** The replacement that new facts make known; null for none. What never was expected is not replaced. */
export function replacementIn(
  { transactions }: Facts,
  before: Judgement,
  after: Judgement,
): Replacement | null {
  const expected = new Set(
    before.transfers.filter(({ stage }) => stage !== 'replaced' && stage !== 'claimed').map(nameOf),
  )
  const lost = after.transfers.find(
    (transfer) => transfer.stage === 'replaced' && expected.has(nameOf(transfer)),
  )
  if (lost === undefined) return null
  const loser = transactions.find((transaction) => nameOf(transaction) === nameOf(lost))
  const winner = loser === undefined ? null : (replacedIn(transactions).get(loser) ?? null)
  const by = winner === null ? null : transferBy(winner, after)
  const pays = by !== null && (isExpected(by.stage) || isIncluded(by.stage))
  return {
    txHash: lost.txHash,
    by: by ?? unseen(lost, winner),
    reason: pays ? 'replaced_still_pays' : 'replaced_elsewhere',
  }
}

const transferBy = (winner: Transaction, { transfers }: Judgement): Transfer | null =>
  transfers.find((transfer) => nameOf(transfer) === nameOf(winner)) ?? null

const unseen = ({ chain, accept }: Transfer, winner: Transaction | null): Subject => ({
  ...{ chain, accept, txHash: winner?.txHash ?? null },
  ...{ confirmations: 0, requiredConfirmations: null },
})
