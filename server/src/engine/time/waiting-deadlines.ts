import type { Instant } from '@settlewire/core/instant'
import { type QueueEntry, SoonestFirst } from './soonest-first.ts'

/** A deadline that has come but cannot be judged yet. */
export interface WaitingDeadline {
  readonly chains: readonly string[]
  /** The instant that each of its chains must be read past. */
  readonly past: Instant
  readonly notBefore: Instant
}

/** For each visible chain: the header time of the last block whose effects are stored. */
export type ScannedThrough = Readonly<Record<string, Instant>>

interface QueuedDeadline {
  readonly waiting: WaitingDeadline
  readonly queue: SoonestFirst<string>
  readonly entry: QueueEntry<string>
}

/**
 * Deadlines that wait. Each is in one queue: that of one chain that was not read past it yet, or
 * the timer queue. So a new block only checks the deadlines that its chain has passed, however many
 * others wait for a blind chain.
 */
export class WaitingDeadlines {
  readonly #places = new Map<string, QueuedDeadline>()
  readonly #ofChain = new Map<string, SoonestFirst<string>>()
  readonly #ofClock = new SoonestFirst<string>()

  get size(): number {
    return this.#places.size
  }

  has(id: string): boolean {
    return this.#places.has(id)
  }

  get(id: string): WaitingDeadline | null {
    return this.#places.get(id)?.waiting ?? null
  }

  /** The earliest instant in the timer queue. */
  get nextByClock(): Instant {
    return this.#ofClock.soonest
  }

  /** Adds a deadline, in place of an earlier one with this id. */
  add(id: string, waiting: WaitingDeadline, scannedThrough: ScannedThrough): void {
    this.delete(id)
    const behind = waiting.chains.find((chain) => !wasReadPast(chain, waiting.past, scannedThrough))
    const queue = behind === undefined ? this.#ofClock : this.#queueOf(behind)
    const entry = queue.add(behind === undefined ? waiting.notBefore : waiting.past, id)
    this.#places.set(id, { waiting, queue, entry })
  }

  delete(id: string): void {
    const place = this.#places.get(id)
    if (place === undefined) return
    place.queue.remove(place.entry)
    this.#places.delete(id)
  }

  /** Whether this chain's queue holds a deadline that the chain was read past. */
  hasReady(chain: string, scannedThrough: ScannedThrough): boolean {
    return (
      (this.#ofChain.get(chain)?.soonest ?? Number.POSITIVE_INFINITY) <
      through(chain, scannedThrough)
    )
  }

  /**
   * Takes out the deadlines that may be judged now, those of each chain in order, checking at most
   * `limit` of them. `isAll` is false when there may be more.
   */
  takeReady(
    now: Instant,
    scannedThrough: ScannedThrough,
    limit: number,
  ): { readonly ready: readonly string[]; readonly isAll: boolean } {
    const ready: string[] = []
    let looks = limit
    for (const [chain, queue] of this.#ofChain) {
      while (looks > 0) {
        const id = queue.takeBefore(through(chain, scannedThrough))
        if (id === null) break
        looks -= 1
        const waiting = this.#leave(id)
        if (waiting === null) continue
        const isRead = waiting.chains.every((name) =>
          wasReadPast(name, waiting.past, scannedThrough),
        )
        if (isRead && waiting.notBefore <= now) ready.push(id)
        // It now waits for the next chain that was not read past it, or in the timer queue.
        else this.add(id, waiting, scannedThrough)
      }
    }
    while (looks > 0) {
      const id = this.#ofClock.takeBefore(now + 1)
      if (id === null) break
      looks -= 1
      if (this.#leave(id) !== null) ready.push(id)
    }
    return { ready, isAll: looks > 0 }
  }

  #leave(id: string): WaitingDeadline | null {
    const waiting = this.get(id)
    this.#places.delete(id)
    return waiting
  }

  #queueOf(chain: string): SoonestFirst<string> {
    const known = this.#ofChain.get(chain)
    if (known !== undefined) return known
    const queue = new SoonestFirst<string>()
    this.#ofChain.set(chain, queue)
    return queue
  }
}

/** A blind chain counts as not read at all. */
const through = (chain: string, scannedThrough: ScannedThrough): Instant =>
  scannedThrough[chain] ?? 0

export const wasReadPast = (
  chain: string,
  instant: Instant,
  scannedThrough: ScannedThrough,
): boolean => through(chain, scannedThrough) > instant
