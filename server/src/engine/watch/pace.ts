import type { Instant } from '@settlewire/core/instant'
import type { ChainHead } from '@settlewire/core/payment/policy'

/** The measured speed of a chain; null where it was not watched long enough. */
export interface Pace {
  readonly blockMs: number | null
  /** How far the tags have lagged behind the head recently. Null for a chain without the tag. */
  readonly safeLagMs: number | null
  readonly finalizedLagMs: number | null
  /** Whether a tag has not moved for much longer than usual, although blocks come. */
  readonly stalled: boolean
}

interface Point {
  readonly number: number
  readonly minedAt: Instant
}

/** How many of the last steps block times are measured over. */
const pointsMax = 64
/** The weight of a new step in a moving average. */
const weight = 0.1
/** A tag is stalled after this many times its usual interval, and never before the minimum. */
const patience = 4
const patienceMinMs = 60_000
/** The interval that is assumed until a tag's usual one is known. */
const usualDefaultMs = 300_000

/** The position of a tag, and how often it moves. */
class TagMeter {
  #at: number | null = null
  #movedAt: Instant = 0
  #usualMs: number | null = null
  #lagBlocks: number | null = null

  /** `now` is chain time, so that on a chain that stands still no tag counts as stalled. */
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
    // A young chain can finalize only its genesis block.
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

/** Measures the speed of one chain, step by step, by the timestamps of its headers. */
export class PaceMeter {
  #points: Point[] = []
  readonly #safe = new TagMeter()
  readonly #finalized = new TagMeter()

  /** A stored step ended at this block. Blocks that a reorg removed are measured again. */
  add(head: ChainHead, minedAt: Instant): void {
    const { head: number, safe, finalized } = head
    const kept = this.#points.filter((point) => point.number < number).slice(1 - pointsMax)
    this.#points = [...kept, { number, minedAt }]
    this.#safe.add(safe, number, minedAt)
    this.#finalized.add(finalized, number, minedAt)
  }

  /** Starts from blocks read earlier: they give the block time, but nothing about tags. */
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
