import type { Clock } from '@settlewire/client/clock'
import type { Signal } from '@settlewire/client/page-signals'
import type { Stop } from '../../../server/src/ports/stop.ts'
import type { Chance } from '../chance.ts'
import type { Timeline } from '../timeline.ts'

/**
 * The device that shows a payment, with its own, possibly wrong clock. While it is asleep nothing
 * runs on it; what arrived meanwhile runs when it wakes, before its user looks.
 */
export class Device {
  readonly clock: Clock
  readonly timeline: Timeline
  readonly chance: Chance
  /** Since when it has been awake, by the timeline. */
  awakeSince: number
  isAsleep = false
  /** Whether it was put away permanently. */
  isGone = false
  readonly #later: (() => void)[] = []
  readonly #listeners = new Set<(signal: Signal) => void>()

  /** Unique in this world. */
  readonly number: number

  constructor(timeline: Timeline, chance: Chance, number: number) {
    this.number = number
    this.timeline = timeline
    this.chance = chance
    this.awakeSince = timeline.elapsed
    const skewMs = chance.between(-90_000, 90_000)
    this.clock = {
      now: () => timeline.now + skewMs,
      after: (delayMs, call) => timeline.after(delayMs, () => this.happens(call)),
      chance: () => chance.next(),
    }
  }

  readonly signals = (listener: (signal: Signal) => void): Stop => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Runs a call on the device: now, when it wakes, or never. */
  happens(call: () => void): void {
    if (this.isGone) return
    if (this.isAsleep) this.#later.push(call)
    else call()
  }

  tell(signal: Signal): void {
    if (this.isAsleep || this.isGone) return
    for (const listener of [...this.#listeners]) listener(signal)
  }

  sleep(): void {
    this.isAsleep = true
  }

  wake(signal: Signal): void {
    if (!this.isAsleep) return
    this.isAsleep = false
    this.awakeSince = this.timeline.elapsed
    for (const call of this.#later.splice(0)) this.happens(call)
    this.tell(signal)
  }

  putAway(): void {
    this.isGone = true
    this.#later.length = 0
    this.#listeners.clear()
  }
}
