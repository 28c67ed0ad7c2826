import type { Instant } from '@settlewire/core/instant'
import { LRUCache } from 'lru-cache'

/** How much one more head weighs in the lag that is shown. */
const weight = 0.2
const firstsMax = 65_536

/** What of a node's answers could not be read, and was skipped. */
export type OddItem = 'transaction' | 'receipt' | 'log' | 'bloom'

/** What one provider was worth since the process began. Whoever learns something counts it here. */
export class Score {
  /** Counts what was skipped. */
  readonly odd: (what: OddItem) => void
  /** A block held logs that its own bloom excludes: from then on none of its blooms is believed. */
  bloomLies = false
  /** Blocks it was asked the logs of. */
  logsAsked = 0
  /** Of these, empty answers that turned out to be wrong. */
  logsEmpty = 0
  /**
   * Times it named another block than another provider, deeper than may pass by itself, or one of the
   * two denied what the other shows of a block.
   */
  disagreements = 0
  reconnects = 0
  /** Pending transactions that it was the first to show. */
  firstSeen = 0
  #lagMs: number | null = null

  constructor(odd: (what: OddItem) => void = () => undefined) {
    this.odd = odd
  }

  /** Lately, after the first provider. */
  get lagMs(): number {
    return Math.round(this.#lagMs ?? 0)
  }

  /** A head came so long after another provider had it. */
  came(afterMs: number): void {
    this.#lagMs = this.#lagMs === null ? afterMs : this.#lagMs + weight * (afterMs - this.#lagMs)
  }
}

/** Who showed what first: of the newest things only. */
export class Firsts {
  readonly #seen = new LRUCache<string, { readonly name: string; readonly at: Instant }>({
    max: firstsMax,
  })

  isNew(what: string): boolean {
    return !this.#seen.has(what)
  }

  /** Milliseconds after the first, by whomever; null for the first itself. */
  saw(what: string, name: string, at: Instant): number | null {
    const first = this.#seen.get(what)
    if (first !== undefined) return first.name === name ? null : at - first.at
    this.#seen.set(what, { name, at })
    return null
  }
}
