import type { Instant } from '@settlewire/core/instant'
import { type Entry, SoonestFirst } from './soonest-first.ts'

/** A deadline that has come but cannot be judged yet. */
export interface Waiting {
  readonly chains: readonly string[]
  /** The instant that each of its chains must be read past. */
  readonly past: Instant
  readonly notBefore: Instant
}

/** Per chain that is seen the header time of the last block whose effects are stored. */
export type ScannedThrough = Readonly<Record<string, Instant>>

interface Place {
  readonly waiting: Waiting
  readonly queue: SoonestFirst<string>
  readonly entry: Entry<string>
}

/**
 * The deadlines that wait, each in one queue: that of a chain which was not read past it yet, or that
 * of the clock. So an advance of a chain touches those that wait for it and are past now, and no
 * other, however many wait for a chain that cannot be seen.
 */
export class WaitingDeadlines {
  readonly #places = new Map<string, Place>()
  readonly #ofChain = new Map<string, SoonestFirst<string>>()
  readonly #ofClock = new SoonestFirst<string>()

  get size(): number {
    return this.#places.size
  }

  has(id: string): boolean {
    return this.#places.has(id)
  }

  get(id: string): Waiting | null {
    return this.#places.get(id)?.waiting ?? null
  }

  /** When the soonest of those is to be looked at that wait for nothing but the clock. */
  get nextByClock(): Instant {
    return this.#ofClock.soonest
  }

  /** It waits from now on, in place of what it waited for before. */
  add(id: string, waiting: Waiting, scannedThrough: ScannedThrough): void {
    this.delete(id)
    const behind = waiting.chains.find((chain) => !isPast(chain, waiting.past, scannedThrough))
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

  /** Whether a chain was read past one that waits for it. */
  isAwaited(chain: string, scannedThrough: ScannedThrough): boolean {
    return (
      (this.#ofChain.get(chain)?.soonest ?? Number.POSITIVE_INFINITY) <
      through(chain, scannedThrough)
    )
  }

  /**
   * Takes out those that may be judged now, of each chain the soonest first, looking at `limit` of
   * them at most.
   * `isAll` is false when there may be more.
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
        const isRead = waiting.chains.every((name) => isPast(name, waiting.past, scannedThrough))
        if (isRead && waiting.notBefore <= now) ready.push(id)
        // It goes on to the next chain that was not read past it, or to the clock.
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

  #leave(id: string): Waiting | null {
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

/** A chain that cannot be seen was read past nothing. */
const through = (chain: string, scannedThrough: ScannedThrough): Instant =>
  scannedThrough[chain] ?? 0

export const isPast = (chain: string, instant: Instant, scannedThrough: ScannedThrough): boolean =>
  through(chain, scannedThrough) > instant
