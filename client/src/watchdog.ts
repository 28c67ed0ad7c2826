import type { Instant } from '@settlewire/core/instant'
import type { Clock, Stop } from './clock.ts'

const tickMs = 1_000

/** A tick this late or early was not delayed by work: the device slept, or its clock was set. */
const jumpMs = 5_000

/**
 * Notices silence, and that the device slept. It reads the clock every second instead of setting
 * one timer, because timers stand still while a device sleeps and are throttled in hidden tabs.
 */
export class Watchdog {
  readonly #clock: Clock
  readonly #bark: (what: 'silence' | 'slept') => void
  #fedAt: Instant
  #deadlineAt: Instant | null = null
  #tickAt: Instant
  #stopTick: Stop = () => undefined

  constructor(clock: Clock, bark: (what: 'silence' | 'slept') => void) {
    this.#clock = clock
    this.#bark = bark
    this.#fedAt = clock.now()
    this.#tickAt = clock.now()
  }

  start(): void {
    this.#tickAt = this.#clock.now() + tickMs
    this.#stopTick = this.#clock.after(tickMs, () => this.#tick())
  }

  stop(): void {
    this.#stopTick()
  }

  /** Data arrived: the next data is due within this time. */
  feed(nextWithinMs: number): void {
    this.#fedAt = this.#clock.now()
    this.#deadlineAt = this.#fedAt + nextWithinMs
  }

  /** No data is due until the next `feed`. */
  rest(): void {
    this.#deadlineAt = null
  }

  get quietMs(): number {
    return this.#clock.now() - this.#fedAt
  }

  #tick(): void {
    const now = this.#clock.now()
    const jumped = Math.abs(now - this.#tickAt) > jumpMs
    const isOver = this.#deadlineAt !== null && now >= this.#deadlineAt
    const isResting = this.#deadlineAt === null
    if (isOver) this.rest()
    this.start()
    // Ticks of a hidden tab are late as well; data that arrived meanwhile proves that it is awake.
    if (jumped && (isOver || isResting)) this.#bark('slept')
    else if (isOver) this.#bark('silence')
  }
}
