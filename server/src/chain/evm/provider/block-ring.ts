import type { BlockRef } from '@settlewire/core/payment/observation'
import { LRUCache } from 'lru-cache'

const blocksMax = 128

/** The newest blocks that one provider calls canonical, by number, as far as known. */
export class BlockRing {
  readonly #hashes = new LRUCache<number, string>({ max: blocksMax })

  at(number: number): string | null {
    return this.#hashes.get(number) ?? null
  }

  /** Forgets blocks that the new head contradicts, or that are not known to be its ancestors. */
  head({ number, hash, parentHash }: BlockRef): void {
    for (const known of [...this.#hashes.keys()]) if (known >= number) this.#hashes.delete(known)
    if (this.#hashes.get(number - 1) !== parentHash) this.#hashes.clear()
    if (number > 0) this.#hashes.set(number - 1, parentHash)
    this.learn({ number, hash })
  }

  /** Adds a block that the provider returned as canonical. */
  learn({ number, hash }: Pick<BlockRef, 'number' | 'hash'>): void {
    this.#hashes.set(number, hash)
  }

  clear(): void {
    this.#hashes.clear()
  }
}
