import type { BlockRef } from '@settlewire/core/payment/observation'
import { LRUCache } from 'lru-cache'

const blocksMax = 128

/** The newest blocks of one provider by number, as far as it is known to call them canonical. */
export class BlockRing {
  readonly #hashes = new LRUCache<number, string>({ max: blocksMax })

  at(number: number): string | null {
    return this.#hashes.get(number) ?? null
  }

  /** What the new head contradicts is forgotten, and so is what it is not known to stand on. */
  head({ number, hash, parentHash }: BlockRef): void {
    for (const known of [...this.#hashes.keys()]) if (known >= number) this.#hashes.delete(known)
    if (this.#hashes.get(number - 1) !== parentHash) this.#hashes.clear()
    if (number > 0) this.#hashes.set(number - 1, parentHash)
    this.learn({ number, hash })
  }

  /** The provider answered this of its own chain. */
  learn({ number, hash }: Pick<BlockRef, 'number' | 'hash'>): void {
    this.#hashes.set(number, hash)
  }

  clear(): void {
    this.#hashes.clear()
  }
}
