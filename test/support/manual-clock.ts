import type { Instant } from '@settlewire/core/instant'
import { sleepOn } from '../../server/src/clock.ts'
import type { Clock } from '../../server/src/ports/clock.ts'
import type { Stop } from '../../server/src/ports/stop.ts'

interface Timer {
  readonly at: Instant
  readonly order: number
  readonly call: () => void
}

/** A clock that moves only with `advance`, and whose random numbers repeat from its seed. */
export class ManualClock implements Clock {
  #now: Instant
  #seed: number
  #order = 0
  readonly #timers = new Set<Timer>()

  constructor(now: Instant = Date.UTC(2026, 0, 1), seed = 1) {
    this.#now = now
    this.#seed = seed >>> 0
  }

  now(): Instant {
    return this.#now
  }

  /** The number of pending timers, so that a test can check that none is left over. */
  get waiting(): number {
    return this.#timers.size
  }

  after(delayMs: number, call: () => void): Stop {
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, call }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  soon(call: () => void): void {
    this.after(0, call)
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal)
  }

  /**
   * Advances time and calls due timers in order, each at its own time. Promises that a call settles
   * run before the next call, so timers that they schedule are called too.
   */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    await settle()
    for (let next = this.#next(until); next !== null; next = this.#next(until)) {
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.call()
      await settle()
    }
    this.#now = until
  }

  /** Jumps without calling timers, like a sleeping machine; the next `advance` calls them. */
  jump(ms: number): void {
    this.#now += ms
  }

  random(bytes: number): Uint8Array {
    return Uint8Array.from({ length: bytes }, () => Math.floor(this.chance() * 256))
  }

  chance(): number {
    // mulberry32: small, and random enough to spread jitter in tests.
    this.#seed = (this.#seed + 0x6d2b79f5) >>> 0
    let t = this.#seed
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  #next(until: Instant): Timer | null {
    let first: Timer | null = null
    for (const timer of this.#timers) {
      if (timer.at > until) continue
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) {
        first = timer
      }
    }
    return first
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
