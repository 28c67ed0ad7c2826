import { LRUCache } from 'lru-cache'
import type { BlockContents } from '../block/verdict.ts'

/** In wei, by address. */
export type Balances = ReadonlyMap<string, bigint>

/** Blocks remembered as unread; no reorg reaches back further. */
const unreadMax = 10_000

/**
 * The balances that addresses must have after the last read block unless contracts moved coin; and
 * the blocks after which addresses may hold more than was reported, because their balances could
 * not be read.
 */
export class BalanceBook {
  #page: { readonly hash: string; readonly balances: Balances } | null = null
  /** Where the addresses with known balances continue that are asked about in turn. */
  #nextKnown = 0
  /** Addresses that were watched while blocks passed but are not in the book. */
  #owed: ReadonlySet<string> = new Set()
  /** Blocks that were passed without reading every balance. */
  readonly #unread = new LRUCache<string, true>({
    // Limited by `maxSize`: with `max`, the cache would allocate all entries at once.
    maxSize: unreadMax,
    sizeCalculation: () => 1,
  })

  /**
   * Chooses at most `max` addresses to ask about: those with unknown balances, then others in turn.
   */
  inTurn(addresses: readonly string[], max: number): readonly string[] {
    if (addresses.length <= max) return addresses
    const isKnown = (address: string): boolean => this.#page?.balances.has(address) ?? false
    const fresh = addresses.filter((address) => !isKnown(address)).slice(0, max)
    const others = addresses.filter(isKnown)
    const from = this.#nextKnown % Math.max(1, others.length)
    this.#nextKnown += max - fresh.length
    return [...fresh, ...others.slice(from), ...others.slice(0, from)].slice(0, max)
  }

  /** The balances of these addresses after a block; empty unless the book is of that block. */
  after(blockHash: string, addresses: ReadonlySet<string>): Map<string, bigint> {
    const { hash, balances = [] } = this.#page ?? {}
    if (hash !== blockHash) return new Map()
    return new Map([...balances].filter(([address]) => addresses.has(address)))
  }

  /** Whether an address may hold more after this block than was reported up to it. */
  isOwed(address: string, blockHash: string): boolean {
    return this.#owed.has(address) || this.#unread.has(blockHash)
  }

  /** Records whether every balance was read after this block. */
  passed(blockHash: string, isRead: boolean): void {
    if (isRead) this.#unread.delete(blockHash)
    else this.#unread.set(blockHash, true)
  }

  /** Replaces the book by the balances after a block. Other watched addresses become unknown. */
  replace(blockHash: string, balances: Balances, watched: ReadonlySet<string>): void {
    this.#page = { hash: blockHash, balances }
    this.#owed = new Set([...watched].filter((address) => !balances.has(address)))
  }
}

/**
 * Updates the expected balances to the actual ones. Returns the addresses whose change needs an
 * explanation, each with its surplus over the expected balance. Where money left in the block, or
 * the balance before is unknown, the balance alone cannot explain the change; a trace may.
 */
export function reconcileBalances(
  addresses: readonly string[],
  now: {
    readonly expected: Map<string, bigint>
    /** The value that successful transactions themselves carried in this block. */
    readonly tops: Balances
    /** Null when it cannot be read: the expected balances then wait for the next block. */
    readonly actual: Balances | null
    readonly block: Pick<BlockContents, 'values'>
  },
): ReadonlyMap<string, bigint> {
  const { expected, tops, actual, block } = now
  for (const [address, amount] of tops) {
    const before = expected.get(address)
    if (before !== undefined) expected.set(address, before + amount)
  }
  const odd = new Map<string, bigint>()
  const senders = new Set((block.values ?? []).map(({ from }) => from))
  for (const address of actual === null ? [] : addresses) {
    const there = actual?.get(address) ?? 0n
    const before = expected.get(address)
    const surplus = before === undefined ? 0n : there - before
    const unknown = before === undefined && there > 0n
    if (surplus !== 0n || unknown || senders.has(address)) odd.set(address, surplus)
    // An unknown balance stays unknown: later its record will show what is missing.
    if (!unknown) expected.set(address, there)
  }
  return odd
}
