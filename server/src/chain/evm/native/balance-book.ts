import { LRUCache } from 'lru-cache'
import type { BlockContents } from '../block/verdict.ts'

/** In wei, by address. */
export type Balances = ReadonlyMap<string, bigint>

/** Blocks remembered as unread; a reorg reaches back over no more. */
const unreadMax = 10_000

/**
 * What addresses must hold after the last block that was read, unless contracts moved something; and
 * after which blocks they may hold more than was told, because nobody could look.
 */
export class BalanceBook {
  #page: { readonly hash: string; readonly balances: Balances } | null = null
  #turn = 0
  /** Watched while blocks passed, and not in the book. */
  #owed: ReadonlySet<string> = new Set()
  /** Blocks that were passed without the balances of all. */
  readonly #unread = new LRUCache<string, true>({ max: unreadMax })

  /** Those to ask about, at most so many: first those of which nothing is known, then all by turns. */
  inTurn(addresses: readonly string[], max: number): readonly string[] {
    if (addresses.length <= max) return addresses
    const isKnown = (address: string): boolean => this.#page?.balances.has(address) ?? false
    const fresh = addresses.filter((address) => !isKnown(address)).slice(0, max)
    const others = addresses.filter(isKnown)
    const from = this.#turn % Math.max(1, others.length)
    this.#turn += max - fresh.length
    return [...fresh, ...others.slice(from), ...others.slice(0, from)].slice(0, max)
  }

  /** What these hold after a block, as far as the book goes on from it. */
  after(blockHash: string, addresses: ReadonlySet<string>): Map<string, bigint> {
    const { hash, balances = [] } = this.#page ?? {}
    if (hash !== blockHash) return new Map()
    return new Map([...balances].filter(([address]) => addresses.has(address)))
  }

  /** Whether an address may hold more after this block than was told up to it. */
  isOwed(address: string, blockHash: string): boolean {
    return this.#owed.has(address) || this.#unread.has(blockHash)
  }

  /** The balances of all were looked at, or not, after this block. */
  passed(blockHash: string, isRead: boolean): void {
    if (isRead) this.#unread.delete(blockHash)
    else this.#unread.set(blockHash, true)
  }

  /** The book as it stands after a block. Of the others that are watched nothing is known. */
  turn(blockHash: string, balances: Balances, watched: ReadonlySet<string>): void {
    this.#page = { hash: blockHash, balances }
    this.#owed = new Set([...watched].filter((address) => !balances.has(address)))
  }
}

/**
 * Brings what is expected up to what is there, and answers the addresses where that takes an
 * explanation, with what came in over what is known. Where money left on the way, or where nothing
 * is known of before, the balance alone cannot say; a trace may.
 */
export function settle(
  asked: readonly string[],
  now: {
    readonly expected: Map<string, bigint>
    /** What successful transactions themselves carried in this block. */
    readonly tops: Balances
    /** Null where it cannot be read: then what is expected waits for the next block. */
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
  for (const address of actual === null ? [] : asked) {
    const there = actual?.get(address) ?? 0n
    const thought = expected.get(address)
    const surplus = thought === undefined ? 0n : there - thought
    const unknown = thought === undefined && there > 0n
    if (surplus !== 0n || unknown || senders.has(address)) odd.set(address, surplus)
    // What nothing is known of stays so: one day its record tells what is missing.
    if (!unknown) expected.set(address, there)
  }
  return odd
}
