import type { Source } from './observation.ts'
import type { Inclusion, Transaction } from './payment.ts'

/**
 * The inclusion that counts: the canonical one with the highest view. Money that no source shows
 * any more does not count. `replaced` says nothing about a transaction that a canonical block
 * holds: in that case the transaction itself won its contest. Null if no block counts.
 */
export const canonicalInclusion = (transaction: Transaction): Inclusion | null =>
  latest(transaction, ({ canonical, outcome }, hash) => {
    return canonical && outcome !== 'replaced' && isUpheld(transaction, hash)
  }) ?? latest(transaction, ({ canonical }, hash) => canonical && isUpheld(transaction, hash))

/** The latest canonical block whose money for this transaction no source shows any more. */
export const deniedInclusion = (transaction: Transaction): Inclusion | null =>
  transaction.denials === undefined
    ? null
    : latest(transaction, ({ canonical }, hash) => canonical && !isUpheld(transaction, hash))

/** Whether a source still shows the money in this block. A block that moved nothing needs none. */
function isUpheld(transaction: Transaction, blockHash: string): boolean {
  if (transaction.denials?.[blockHash] === undefined) return true
  if (transaction.inclusions[blockHash]?.outcome !== 'paid') return true
  return wordsOn(transaction, blockHash).sources.length > 0
}

/** Whether a source denies the money of the inclusion that counts. */
export function isDenied(transaction: Transaction): boolean {
  if (transaction.denials === undefined) return false
  const inclusion = canonicalInclusion(transaction)
  if (inclusion?.outcome !== 'paid' || inclusion.block === null) return false
  return wordsOn(transaction, inclusion.block.hash).deniedBy.length > 0
}

/** The latest block that was ever reported to hold its money, canonical or not. */
export const paidInclusion = (transaction: Transaction): Inclusion | null =>
  latest(transaction, (inclusion) => inclusion.outcome === 'paid')

/**
 * The matching inclusion with the highest view; null if none matches. If one step named two blocks,
 * the lesser hash decides, not the order of arrival.
 */
function latest(
  { inclusions }: Transaction,
  picks: (inclusion: Inclusion, blockHash: string) => boolean,
): Inclusion | null {
  const byView = Object.entries(inclusions)
    .filter(([hash, inclusion]) => picks(inclusion, hash))
    .sort(([aHash, a], [bHash, b]) => b.view - a.view || (aHash < bHash ? -1 : 1))
  return byView[0]?.[1] ?? null
}

/**
 * The sources that show the money of a transaction in a block, and those that deny it. The latest
 * report of each source counts; of two reports at one view the denial counts.
 */
export function wordsOn(
  { denials, inclusions }: Transaction,
  blockHash: string,
): { readonly sources: readonly Source[]; readonly deniedBy: readonly Source[] } {
  const { shownBy = {} } = inclusions[blockHash] ?? {}
  const denied = denials?.[blockHash] ?? {}
  const isDenied = (source: Source): boolean => {
    const view = denied[source]
    return view !== undefined && view >= (shownBy[source] ?? view)
  }
  return {
    sources: Object.keys(shownBy)
      .filter((source) => !isDenied(source))
      .sort(),
    deniedBy: Object.keys(denied).filter(isDenied).sort(),
  }
}

/**
 * Whether a pool holds it, as far as is known. A later sighting cancels an earlier drop. If no
 * source shows the transaction in its block any more, only a later sighting makes it pending again.
 */
export function isPending(transaction: Transaction): boolean {
  const { mempool, droppedView = null } = transaction
  if (mempool?.known !== true) return false
  if (droppedView !== null && droppedView > mempool.view) return false
  const denied = deniedInclusion(transaction)
  return denied === null || mempool.view > denied.view
}

/**
 * Whether its time-out passed while no provider knew it, and no pool showed it since. False for a
 * transaction whose reorg reported that no pool holds it.
 */
export const isDropped = (transaction: Transaction): boolean =>
  (transaction.droppedView ?? null) !== null &&
  transaction.mempool?.known !== false &&
  !isPending(transaction)

/** Whether the payer named it, no node has shown it, and the search was not given up. */
export const isOpenClaim = (transaction: Transaction): boolean =>
  transaction.claimed === true && !wasSeen(transaction) && !isDropped(transaction)

/**
 * Whether a node ever reported it: in a pool, in a block, or as replaced. A payer's claim is no
 * sighting.
 */
export const wasSeen = ({ mempool, inclusions }: Transaction): boolean =>
  mempool !== null || Object.keys(inclusions).length > 0

/** Whether it ever was to move money here. A rival and an unseen claim were not. */
export const movesMoney = ({ hint, inclusions }: Transaction): boolean =>
  hint !== null ||
  Object.values(inclusions).some(({ outcome }) => outcome === 'paid' || outcome === 'unknown')

/** A key for a transaction that is unique among all chains. */
export const transactionName = ({ chain, txHash }: Pick<Transaction, 'chain' | 'txHash'>): string =>
  `${chain}:${txHash}`

/** A balance change of an address, or a sum of many small transfers, is no single transaction. */
const belongsToNone = /^(balance|small):/

/** The hash that can be looked up; null where the movement is no single transaction. */
export const publicTxHash = (txHash: string | null): string | null =>
  txHash === null || belongsToNone.test(txHash) ? null : txHash

/** The key for the sum of many small transfers of one block. */
export const smallIn = (blockHash: string): string => `small:${blockHash}`

/** Identifies a transaction, and defines the order of transactions. */
export type TransactionKey = Pick<Transaction, 'chain' | 'txHash'>

const isBefore = (a: TransactionKey, b: TransactionKey): boolean =>
  a.chain === b.chain ? a.txHash < b.txHash : a.chain < b.chain

/** Finds a transaction in a list that is sorted by chain and hash; null when it is missing. */
export function findTransaction(
  transactions: readonly Transaction[],
  place: TransactionKey,
): Transaction | null {
  let low = 0
  let high = transactions.length
  while (low < high) {
    const middle = (low + high) >> 1
    const at = transactions[middle]
    if (at !== undefined && isBefore(at, place)) low = middle + 1
    else high = middle
  }
  const found = transactions[low]
  return found?.chain === place.chain && found.txHash === place.txHash ? found : null
}

/** The sorted list with these transactions inserted or replaced, in one pass. */
export function weave(
  transactions: readonly Transaction[],
  changed: ReadonlyMap<string, Transaction>,
): readonly Transaction[] {
  const fresh = [...changed.values()].sort((a, b) => (isBefore(a, b) ? -1 : 1))
  const woven: Transaction[] = []
  let next = 0
  for (const known of transactions) {
    for (let one = fresh[next]; one !== undefined && isBefore(one, known); one = fresh[++next])
      woven.push(one)
    const same = fresh[next]
    const isSame = same !== undefined && !isBefore(known, same)
    woven.push(isSame ? same : known)
    if (isSame) next++
  }
  return [...woven, ...fresh.slice(next)]
}
