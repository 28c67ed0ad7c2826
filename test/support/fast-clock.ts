import type { Clock, Stop } from '../../client/src/clock.ts'
import { ManualClock } from './manual-clock.ts'

/** How much faster a fast clock runs than real time. */
export const speed = 40

const tickMs = 5

/**
 * A fast clock for tests over real sockets. It advances with the event loop and not with wall time:
 * when this process gets no core for a while, the device does not seem to have slept. Close it.
 */
export class FastClock implements Clock {
  readonly #timers = new Map<() => void, number>()
  readonly #chance: ManualClock
  readonly #ticking: NodeJS.Timeout
  #now = Date.now()

  constructor(seed: number) {
    this.#chance = new ManualClock(0, seed)
    this.#ticking = setInterval(() => this.#tick(), tickMs)
  }

  now(): number {
    return this.#now
  }

  after(delayMs: number, call: () => void): Stop {
    const timer = () => call()
    this.#timers.set(timer, this.#now + delayMs)
    return () => {
      this.#timers.delete(timer)
    }
  }

  chance(): number {
    return this.#chance.chance()
  }

  /** Jumps without calling timers in between, like a device that slept. */
  sleep(ms: number): void {
    this.#now += ms
  }

  close(): void {
    clearInterval(this.#ticking)
  }

  #tick(): void {
    this.#now += tickMs * speed
    for (const [call, at] of [...this.#timers].sort(([, a], [, b]) => a - b)) {
      // A timer that is called may stop others.
      if (at <= this.#now && this.#timers.delete(call)) call()
    }
  }
}
