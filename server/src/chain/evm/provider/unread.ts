import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'

/** A head as a provider told it. */
interface Heard {
  readonly number: number
  readonly minedAt: Instant
  readonly heardAt: Instant
}

/** What one provider has told. */
interface Told {
  /** The newest number. It may lie below others: one url may be several machines. */
  last: number
  /** Heads above what is stored, each higher than the one before. */
  unread: readonly Heard[]
  /** Of many only every so manyth is kept; the newest always. */
  stride: number
}

const heardMax = 128

/**
 * The heads that providers have told, as far as they are not stored: blocks that are known to exist.
 * A provider that goes away, or shows less when it comes back, takes none of them back.
 */
export class Unread {
  readonly #blockMs: number
  readonly #told = new Map<string, Told>()
  #stored: BlockRef | null = null

  /** `blockMs`: the usual time between blocks; 0 where they are made on demand. */
  constructor(blockMs: number) {
    this.#blockMs = blockMs
  }

  /** The last stored block. */
  get stored(): BlockRef | null {
    return this.#stored
  }

  /** Whether a block above what is stored is known. */
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

  /** Its chain cannot be ours: what it told does not exist. */
  forget(provider: string): void {
    this.#told.delete(provider)
  }

  /** Stored up to this block. `isReorg`: heads of the branch that was left are not to be expected. */
  at(block: BlockRef, isReorg = false): void {
    this.#stored = block
    for (const told of this.#told.values()) {
      told.unread = isReorg ? [] : told.unread.filter(({ number }) => number > block.number)
      if (told.unread.length < 2) told.stride = 1
    }
  }

  /**
   * How far what is stored is behind what these providers show, by the one that it is nearest to: one
   * that makes up blocks does not make us late. One that shows less than is stored has no say.
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
   * For how long the first missing block is known, or has existed: blocks that were missed while nobody
   * listened are about as old as their number says. By two header times, so that a chain whose clock
   * is not ours is not late by that; and a block after a long silence is not late by the silence.
   */
  #lagOf({ unread }: Told, now: Instant): number {
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
function thin(told: Told): void {
  const newest = told.unread.length - 1
  told.unread = told.unread.filter((_, at) => at % 2 === 0 || at === newest)
  told.stride *= 2
}
