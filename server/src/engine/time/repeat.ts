import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Stop } from '../../ports/stop.ts'

export interface RepeatOptions {
  readonly clock: Pick<Clock, 'after'>
  readonly log: Log
  /** Of the pause after each time. */
  readonly everyMs: number
  /** What could not be done, for the log. */
  readonly what: string
}

/** Does something again and again until it is closed; what fails is tried again the next time. */
export class Repeat {
  readonly #options: RepeatOptions
  readonly #work: () => Promise<void>
  #running: Promise<void> = Promise.resolve()
  #stopTimer: Stop | null = null
  #isClosed = false
  #hasFailed = false

  constructor(options: RepeatOptions, work: () => Promise<void>) {
    this.#options = options
    this.#work = work
  }

  start(): void {
    if (this.#isClosed) return
    const { clock, everyMs } = this.#options
    this.#stopTimer = clock.after(everyMs, () => {
      this.#running = this.now().finally(() => this.start())
    })
  }

  /** Once, at once. Never rejects. */
  async now(): Promise<void> {
    try {
      await this.#work()
      this.#hasFailed = false
    } catch (error) {
      // Said once: it is tried several times a second.
      const { log, what } = this.#options
      if (!this.#hasFailed) log.warn({ error }, `${what}; tried again`)
      this.#hasFailed = true
    }
  }

  /** Resolves when a time under way has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopTimer?.()
    await this.#running
  }
}
