import type { Instant } from '@settlewire/core/instant'
import { LRUCache } from 'lru-cache'

/** The weight of one more head in the moving average of the lag. */
const weight = 0.2
const firstsMax = 65_536

/** What can be wrong in a node's answer without failing the whole answer. */
export type OddItem = 'transaction' | 'receipt' | 'log' | 'bloom'

/** How well one provider did since the process started. Each part of the follower adds to it. */
export class Score {
  /** Counts one such fault. */
  readonly odd: (what: OddItem) => void
  /** A block held logs that its bloom excludes: this provider's blooms are no longer trusted. */
  bloomLies = false
  /** How often it was asked for a block's logs; an immediate retry is not counted again. */
  logsAsked = 0
  /**
   * How often its logs (empty, refused, unreadable or incomplete) missed transfers that were found
   * later, or were empty at first.
   */
  logsEmpty = 0
  /**
   * How often it and another provider disagreed: they named different blocks, deeper than a normal
   * short reorg, or one of them denied what the other shows in a block.
   */
  disagreements = 0
  reconnects = 0
  /** Pending transactions that it showed first. */
  firstSeen = 0
  #lagMs: number | null = null

  constructor(odd: (what: OddItem) => void = () => undefined) {
    this.odd = odd
  }

  /** The recent average delay after the first provider. */
  get lagMs(): number {
    return Math.round(this.#lagMs ?? 0)
  }

  /** Adds one head to the average lag; `afterMs` is 0 if this provider was first. */
  recordLag(afterMs: number): void {
    this.#lagMs = this.#lagMs === null ? afterMs : this.#lagMs + weight * (afterMs - this.#lagMs)
  }
}

/** Remembers which provider showed an item first, for the newest items only. */
export class Firsts {
  readonly #seen = new LRUCache<string, { readonly name: string; readonly at: Instant }>({
    // Limited by `maxSize`: with `max`, the cache would allocate all entries at once.
    maxSize: firstsMax,
    sizeCalculation: () => 1,
  })

  isNew(what: string): boolean {
    return !this.#seen.has(what)
  }

  /** Milliseconds after the first provider; null for the first provider itself. */
  saw(what: string, name: string, at: Instant): number | null {
    const first = this.#seen.get(what)
    if (first !== undefined) return first.name === name ? null : at - first.at
    this.#seen.set(what, { name, at })
    return null
  }
}
