import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'

/** A head as a provider showed it. */
interface Heard {
  readonly number: number
  readonly minedAt: Instant
  readonly heardAt: Instant
}

/** The heads that one provider showed. */
interface ShownHeads {
  /**
   * The number of its latest head. It may be below earlier ones: one URL may be several machines.
   */
  last: number
  /** Heads above the stored cursor, each higher than the one before. */
  unread: readonly Heard[]
  /** Beyond a limit only every `stride`-th head is kept, and the newest. */
  stride: number
}

const heardMax = 128

/**
 * The heads that providers showed and that are not stored yet: blocks known to exist. They stay
 * known when their provider disconnects, or shows a lower head when it comes back.
 */
export class Unread {
  readonly #blockMs: number
  readonly #told = new Map<string, ShownHeads>()
  #stored: BlockRef | null = null

  /** `blockMs`: the usual time between blocks; 0 when blocks are mined on demand. */
  constructor(blockMs: number) {
    this.#blockMs = blockMs
  }

  /** The last stored block. */
  get stored(): BlockRef | null {
    return this.#stored
  }

  /** Whether a block above the stored cursor is known. */
  get isAny(): boolean {
    return [...this.#told.values()].some(({ unread }) => unread.length > 0)
  }

  heard(provider: string, { number, minedAt }: BlockRef, heardAt: Instant): void {
    const told = this.#told.get(provider) ?? { last: number, unread: [], stride: 1 }
    told.last = number
    this.#told.set(provider, told)
    const newest = told.unread.at(-1)
    if (number <= (newest?.number ?? this.#stored?.number ?? -1)) return
    const kept = told.unread.at(-2)?.number ?? 0
    const isBetween = newest !== undefined && newest.number - kept < told.stride
    const before = isBetween ? told.unread.slice(0, -1) : told.unread
    told.unread = [...before, { number, minedAt, heardAt }]
    if (told.unread.length > heardMax) thin(told)
  }

  /** Its chain cannot be ours: the blocks that it showed do not exist. */
  forget(provider: string): void {
    this.#told.delete(provider)
  }

  /** Stored up to this block. `isReorg`: forgets all heads, since the old branch's are obsolete. */
  at(block: BlockRef, isReorg = false): void {
    this.#stored = block
    for (const told of this.#told.values()) {
      told.unread = isReorg ? [] : told.unread.filter(({ number }) => number > block.number)
      if (told.unread.length < 2) told.stride = 1
    }
  }

  /**
   * How far the stored cursor is behind the heads of these providers. The smallest lag counts, so
   * that a provider with fake blocks causes none. A provider whose head is below the cursor is not
   * counted.
   */
  lagMs(providers: Iterable<string>, now: Instant): number {
    const lags = [...providers].flatMap((provider) => {
      const told = this.#told.get(provider)
      const counts = told !== undefined && told.last >= (this.#stored?.number ?? 0)
      return counts ? this.#lagOf(told, now) : []
    })
    return lags.length === 0 ? 0 : Math.min(...lags)
  }

  /**
   * The time since the first missing block was known, or was probably mined: the age of blocks
   * missed while disconnected follows from their number. Capped by the difference of two header
   * times, so that neither a chain with a different clock nor a pause before the block adds to the
   * lag.
   */
  #lagOf({ unread }: ShownHeads, now: Instant): number {
    const [first] = unread
    const last = unread.at(-1)
    if (first === undefined || last === undefined) return 0
    const knownMs = now - first.heardAt
    if (this.#stored === null) return knownMs
    const { number, minedAt } = this.#stored
    const madeMs = (last.number - number - 1) * this.#blockMs
    return Math.max(knownMs, Math.min(madeMs, now - minedAt, last.minedAt - minedAt))
  }
}

/** Keeps the first, the newest, and every second of the others. */
function thin(told: ShownHeads): void {
  const newest = told.unread.length - 1
  told.unread = told.unread.filter((_, at) => at % 2 === 0 || at === newest)
  told.stride *= 2
}
