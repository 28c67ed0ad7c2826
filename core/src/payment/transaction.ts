import type { Source } from './observation.ts'
import type { Inclusion, Transaction } from './payment.ts'

/**
 * The one inclusion that is believed: of those called canonical, the one seen last. Money that no source
 * shows any more is not believed. That its place was used up says nothing of a transaction that a
 * canonical block holds: it used it up itself.
 */
export const canonicalInclusion = (transaction: Transaction): Inclusion | null =>
  latest(transaction, ({ canonical, outcome }, hash) => {
    return canonical && outcome !== 'replaced' && isUpheld(transaction, hash)
  }) ?? latest(transaction, ({ canonical }, hash) => canonical && isUpheld(transaction, hash))

/** The last canonical block that was said to hold money of it, and that no source shows it in any more. */
export const deniedInclusion = (transaction: Transaction): Inclusion | null =>
  transaction.denials === undefined
    ? null
    : latest(transaction, ({ canonical }, hash) => canonical && !isUpheld(transaction, hash))

/** Whether a source still shows the money of this block. A block that moved nothing needs no such source. */
function isUpheld(transaction: Transaction, blockHash: string): boolean {
  if (transaction.denials?.[blockHash] === undefined) return true
  if (transaction.inclusions[blockHash]?.outcome !== 'paid') return true
  return wordsOn(transaction, blockHash).sources.length > 0
}

/** Whether a source denies the money that a canonical block is believed to hold. */
export function isDenied(transaction: Transaction): boolean {
  if (transaction.denials === undefined) return false
  const inclusion = canonicalInclusion(transaction)
  if (inclusion?.outcome !== 'paid' || inclusion.block === null) return false
  return wordsOn(transaction, inclusion.block.hash).deniedBy.length > 0
}

/** The last block that was ever said to hold money of it, canonical or not. */
export const paidInclusion = (transaction: Transaction): Inclusion | null =>
  latest(transaction, (inclusion) => inclusion.outcome === 'paid')

/** By view; one step never names two blocks, and should it, the order of arrival still decides nothing. */
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
 * Who shows what a block is said to hold of it, and who denies it: the last word of each source counts,
 * and of two words at one view the denial.
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
 * Whether some pool holds it, as far as is known. A later sighting takes back that it was dropped, and
 * only a later one brings back what was in a block that no source shows it in any more.
 */
export function isPending(transaction: Transaction): boolean {
  const { mempool, droppedView = null } = transaction
  if (mempool?.known !== true) return false
  if (droppedView !== null && droppedView > mempool.view) return false
  const denied = deniedInclusion(transaction)
  return denied === null || mempool.view > denied.view
}

/** Whether it was past its time-out and known to nobody, and was not seen since. */
export const isDropped = (transaction: Transaction): boolean =>
  (transaction.droppedView ?? null) !== null &&
  transaction.mempool?.known !== false &&
  !isPending(transaction)

/** Whether the payer named it and nobody has seen it yet. */
export const isOpenClaim = (transaction: Transaction): boolean =>
  transaction.claimed === true && !wasSeen(transaction) && !isDropped(transaction)

/** Whether a node ever showed it, in a pool or in a block. A payer's word is not that. */
export const wasSeen = ({ mempool, inclusions }: Transaction): boolean =>
  mempool !== null || Object.keys(inclusions).length > 0

/** Whether it ever was to move something here. A rival and a mere claim were not. */
export const movesMoney = ({ hint, inclusions }: Transaction): boolean =>
  hint !== null ||
  Object.values(inclusions).some(({ outcome }) => outcome === 'paid' || outcome === 'unknown')

/** Names a transaction among all chains. */
export const nameOf = ({ chain, txHash }: Pick<Transaction, 'chain' | 'txHash'>): string =>
  `${chain}:${txHash}`

/** What a block added to an address, or many small transfers together, is no one transaction. */
const belongsToNone = /^(balance|small):/

/** The hash that can be looked up; null for what belongs to no one transaction. */
export const publicTxHash = (txHash: string | null): string | null =>
  txHash === null || belongsToNone.test(txHash) ? null : txHash

/** What many small transfers of one block are known by together. */
export const smallIn = (blockHash: string): string => `small:${blockHash}`

/** What names a transaction, and orders them. */
export type Place = Pick<Transaction, 'chain' | 'txHash'>

const isBefore = (a: Place, b: Place): boolean =>
  a.chain === b.chain ? a.txHash < b.txHash : a.chain < b.chain

/** The transaction of this name in a list that is sorted by chain and hash; null when it is not there. */
export function findTransaction(
  transactions: readonly Transaction[],
  place: Place,
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

/** The sorted list with those of these names in their places, in one pass. */
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
