import type { Clock } from '../../ports.ts'

/** Work done in one go before the event loop looks for new connections and new bytes again. */
const turnMs = 5

/**
 * Does work at once while there is time in this turn of the event loop, and the rest in the next turns,
 * first come, first served. A thousand clients that ask at once then never keep the loop from others.
 */
export class Turns {
  readonly #clock: Pick<Clock, 'now' | 'after'>
  #waiting: (() => void)[] = []
  #next = 0
  #startedAt = 0
  #isScheduled = false
  #isRunning = false

  constructor(clock: Pick<Clock, 'now' | 'after'>) {
    this.#clock = clock
  }

  run(task: () => void): void {
    if (!this.#isScheduled) this.#schedule()
    const isFree = !this.#isRunning && this.#next === this.#waiting.length && this.#hasTime()
    if (isFree) task()
    else this.#waiting.push(task)
  }

  #hasTime(): boolean {
    return this.#clock.now() - this.#startedAt < turnMs
  }

  #schedule(): void {
    this.#isScheduled = true
    this.#startedAt = this.#clock.now()
    this.#clock.after(0, () => this.#turn())
  }

  #turn(): void {
    this.#isScheduled = false
    if (this.#next === this.#waiting.length) return
    this.#schedule()
    this.#isRunning = true
    while (this.#hasTime()) {
      const task = this.#waiting[this.#next]
      if (task === undefined) break
      this.#next++
      task()
    }
    this.#isRunning = false
    if (this.#next < this.#waiting.length && this.#next < 1_000) return
    this.#waiting = this.#waiting.slice(this.#next)
    this.#next = 0
  }
}
