import type { Instant } from '@settlewire/core/instant'
import type { ChainHead } from '@settlewire/core/payment/policy'

/** How fast a chain goes, measured; null while it was not watched for long enough. */
export interface Pace {
  readonly blockMs: number | null
  /** How far behind the head its tags are, lately. Null for a chain without the tag. */
  readonly safeLagMs: number | null
  readonly finalizedLagMs: number | null
  /** Whether a tag stands still for much longer than it usually does, while blocks come. */
  readonly stalled: boolean
}

interface Point {
  readonly number: number
  readonly minedAt: Instant
}

/** Block times are measured over the last steps, as many as these. */
const pointsMax = 64
/** What a step weighs in a mean of those before it. */
const weight = 0.1
/** So many times as long as usual may a tag stand, and never less than the floor. */
const patience = 4
const patienceMinMs = 60_000
/** Before it is known how a tag usually moves. */
const usualDefaultMs = 300_000

/** Where a tag stands, and how it moves. */
class Tag {
  #at: number | null = null
  #movedAt: Instant = 0
  #usualMs: number | null = null
  #lagBlocks: number | null = null

  /** `now` is chain time: a chain that stands still has no tag that does. */
  add(tag: number | null, head: number, now: Instant): void {
    if (tag === null) {
      this.#at = null
      this.#lagBlocks = null
      return
    }
    this.#lagBlocks = mean(this.#lagBlocks, Math.max(0, head - tag))
    if (this.#at !== null && tag <= this.#at) return
    if (this.#at !== null) this.#usualMs = mean(this.#usualMs, Math.max(0, now - this.#movedAt))
    this.#at = tag
    this.#movedAt = now
  }

  isStalled(now: Instant): boolean {
    const patienceMs = Math.max(patienceMinMs, patience * (this.#usualMs ?? usualDefaultMs))
    // A young chain has nothing to finalize but its genesis.
    return this.#at !== null && this.#at > 0 && now - this.#movedAt > patienceMs
  }

  lagMs(blockMs: number | null): number | null {
    return blockMs === null || this.#lagBlocks === null
      ? null
      : Math.round(blockMs * this.#lagBlocks)
  }
}

const mean = (before: number | null, value: number): number =>
  before === null ? value : before + weight * (value - before)

/** Measures one chain, step by step, on the times of its own headers. */
export class PaceMeter {
  #points: Point[] = []
  readonly #safe = new Tag()
  readonly #finalized = new Tag()

  /** A step was stored that ended at this block. What a reorg took back is measured anew. */
  add(head: ChainHead, minedAt: Instant): void {
    const { head: number, safe, finalized } = head
    const kept = this.#points.filter((point) => point.number < number).slice(1 - pointsMax)
    this.#points = [...kept, { number, minedAt }]
    this.#safe.add(safe, number, minedAt)
    this.#finalized.add(finalized, number, minedAt)
  }

  /** Blocks that were read before: they tell how far apart blocks are, and nothing of tags. */
  seed(blocks: readonly Point[]): void {
    const oldestFirst = [...blocks].sort((a, b) => a.number - b.number)
    this.#points = oldestFirst.slice(-pointsMax).map(({ number, minedAt }) => ({ number, minedAt }))
  }

  get pace(): Pace {
    const first = this.#points[0]
    const last = this.#points.at(-1)
    const blocks = (last?.number ?? 0) - (first?.number ?? 0)
    const spanMs = (last?.minedAt ?? 0) - (first?.minedAt ?? 0)
    const blockMs = blocks > 0 && spanMs >= 0 ? spanMs / blocks : null
    const now = last?.minedAt ?? 0
    return {
      blockMs: blockMs === null ? null : Math.round(blockMs),
      safeLagMs: this.#safe.lagMs(blockMs),
      finalizedLagMs: this.#finalized.lagMs(blockMs),
      stalled: this.#safe.isStalled(now) || this.#finalized.isStalled(now),
    }
  }
}
