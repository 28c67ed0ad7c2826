import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'

/** A head as a provider showed it. */
interface ShownHead {
  readonly number: number
  readonly minedAt: Instant
  readonly receivedAt: Instant
}

/** The heads that one provider showed. */
interface ShownHeads {
  /**
   * The number of its latest head. It may be below earlier ones: one URL may be several machines.
   */
  last: number
  /** Heads above the stored cursor, each higher than the one before. */
  unread: readonly ShownHead[]
  /** Beyond a limit only every `stride`-th head is kept, and the newest. */
  stride: number
}

const unreadMax = 128

/**
 * The heads that providers showed and that are not stored yet: blocks known to exist. They stay
 * known when their provider disconnects, or shows a lower head when it comes back.
 */
export class Unread {
  readonly #blockMs: number
  readonly #shown = new Map<string, ShownHeads>()
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
    return [...this.#shown.values()].some(({ unread }) => unread.length > 0)
  }

  received(provider: string, { number, minedAt }: BlockRef, receivedAt: Instant): void {
    const shown = this.#shown.get(provider) ?? { last: number, unread: [], stride: 1 }
    shown.last = number
    this.#shown.set(provider, shown)
    const newest = shown.unread.at(-1)
    if (number <= (newest?.number ?? this.#stored?.number ?? -1)) return
    const kept = shown.unread.at(-2)?.number ?? 0
    const isBetween = newest !== undefined && newest.number - kept < shown.stride
    const before = isBetween ? shown.unread.slice(0, -1) : shown.unread
    shown.unread = [...before, { number, minedAt, receivedAt }]
    if (shown.unread.length > unreadMax) thin(shown)
  }

  /** Its chain cannot be ours: the blocks that it showed do not exist. */
  forget(provider: string): void {
    this.#shown.delete(provider)
  }

  /** Stored up to this block. `isReorg`: forgets all heads, since the old branch's are obsolete. */
  at(block: BlockRef, isReorg = false): void {
    this.#stored = block
    for (const shown of this.#shown.values()) {
      shown.unread = isReorg ? [] : shown.unread.filter(({ number }) => number > block.number)
      if (shown.unread.length < 2) shown.stride = 1
    }
  }

  /**
   * How far the stored cursor is behind the heads of these providers. The smallest lag counts, so
   * that a provider with fake blocks causes none. A provider whose head is below the cursor is not
   * counted.
   */
  lagMs(providers: Iterable<string>, now: Instant): number {
    const lags = [...providers].flatMap((provider) => {
      const shown = this.#shown.get(provider)
      const counts = shown !== undefined && shown.last >= (this.#stored?.number ?? 0)
      return counts ? this.#lagOf(shown, now) : []
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
    const knownMs = now - first.receivedAt
    if (this.#stored === null) return knownMs
    const { number, minedAt } = this.#stored
    const madeMs = (last.number - number - 1) * this.#blockMs
    return Math.max(knownMs, Math.min(madeMs, now - minedAt, last.minedAt - minedAt))
  }
}

/** Keeps the first, the newest, and every second of the others. */
function thin(shown: ShownHeads): void {
  const newest = shown.unread.length - 1
  shown.unread = shown.unread.filter((_, at) => at % 2 === 0 || at === newest)
  shown.stride *= 2
}
