import { Repeat, type RepeatOptions } from '../engine/time/repeat.ts'
import type { Stop } from '../ports/stop.ts'

/** Repeats work while it is needed, and runs no timer while it is not. */
export class WhileNeeded {
  readonly #options: RepeatOptions
  readonly #isNeeded: () => boolean
  readonly #repeat: Repeat
  #stopTimer: Stop | null = null
  #running: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: RepeatOptions, isNeeded: () => boolean, work: () => Promise<void>) {
    this.#options = options
    this.#isNeeded = isNeeded
    this.#repeat = new Repeat(options, work)
  }

  /** Starts the timer, which repeats the work for as long as `isNeeded` returns true. */
  need(): void {
    if (this.#isClosed || this.#stopTimer !== null) return
    const { clock, everyMs } = this.#options
    this.#stopTimer = clock.after(everyMs, () => {
      this.#running = this.#repeat.runNow().finally(() => {
        this.#stopTimer = null
        if (this.#isNeeded()) this.need()
      })
    })
  }

  /** Stops the timer. Resolves when a running repetition has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopTimer?.()
    await this.#running
  }
}
