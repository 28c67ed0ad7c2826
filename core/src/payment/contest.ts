import type { Transaction } from './payment.ts'
import { canonicalInclusion, isPending } from './transaction.ts'

/**
 * The transactions that lost their contest, each with the winner; null where no source showed the
 * winner. At most one transaction of a contest is not in this map.
 */
export function replacedIn(
  transactions: readonly Transaction[],
): ReadonlyMap<Transaction, Transaction | null> {
  const lost = new Map<Transaction, Transaction | null>()
  for (const rivals of groupsOf(transactions)) {
    const winner = winnerOf(rivals)
    for (const rival of rivals) if (rival !== winner) lost.set(rival, winner)
  }
  return lost
}

/** Grouped by contest key; a transaction with an unknown contest is a group of its own. */
function groupsOf(transactions: readonly Transaction[]): Iterable<readonly Transaction[]> {
  const groups = new Map<string, Transaction[]>()
  for (const transaction of transactions) {
    const { chain, txHash, contest } = transaction
    const key = contest ? `${chain} ${contest.key}` : `${chain} ${txHash}`
    const known = groups.get(key)
    if (known === undefined) groups.set(key, [transaction])
    else known.push(transaction)
  }
  return groups.values()
}

/**
 * The transaction that won; null if a block ended the contest and no source showed its winner. A
 * block decides. Before that the highest bid decides, of those in a pool if there are any. The
 * order in which reports arrive never decides.
 */
function winnerOf(rivals: readonly Transaction[]): Transaction | null {
  const verdicts = rivals.map((rival) => ({ rival, inclusion: canonicalInclusion(rival) }))
  const mined = verdicts
    .filter(({ inclusion }) => inclusion !== null && inclusion.outcome !== 'replaced')
    .sort((a, b) => (b.inclusion?.view ?? 0) - (a.inclusion?.view ?? 0) || byHash(a.rival, b.rival))
  if (mined[0] !== undefined) return mined[0].rival
  if (verdicts.some(({ inclusion }) => inclusion !== null)) return null
  const pending = rivals.filter(isPending)
  return [...(pending.length > 0 ? pending : rivals)].sort(byOffer)[0] ?? null
}

/** The highest bid first. A pool that replaces one of two equal bids keeps the later one. */
function byOffer(a: Transaction, b: Transaction): number {
  const [offerA, offerB] = [a.contest?.bid ?? 0n, b.contest?.bid ?? 0n]
  if (offerA !== offerB) return offerA > offerB ? -1 : 1
  return b.seenAt - a.seenAt || byHash(a, b)
}

const byHash = (a: Transaction, b: Transaction): number => (a.txHash < b.txHash ? -1 : 1)
