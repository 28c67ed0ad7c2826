import type { Clock, Stop } from '../../client/src/clock.ts'
import { ManualClock } from './manual-clock.ts'

/** How much faster time runs on a fast clock. */
export const speed = 40

const tickMs = 5

/**
 * Runs fast, for tests over real sockets. It is bound to the event loop and not to the wall: when this
 * process is not given a core for a while, that is no sleep of the device. Close it.
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

  /** Moves on without anything being called meanwhile, as a device does that sleeps. */
  sleep(ms: number): void {
    this.#now += ms
  }

  close(): void {
    clearInterval(this.#ticking)
  }

  #tick(): void {
    this.#now += tickMs * speed
    for (const [call, at] of [...this.#timers].sort(([, a], [, b]) => a - b)) {
      // One that is called may stop others.
      if (at <= this.#now && this.#timers.delete(call)) call()
    }
  }
}
