import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Stop } from '../../ports/stop.ts'

export interface RepeatOptions {
  readonly clock: Pick<Clock, 'after'>
  readonly log: Log
  /** The pause after each run, in milliseconds. */
  readonly everyMs: number
  /** The failure in words, for the log: `leases could not be renewed`. */
  readonly what: string
}

/** Runs work again and again, with a pause after each run, until `close`. A failure is logged. */
export class Repeat {
  readonly #options: RepeatOptions
  readonly #work: () => Promise<void>
  readonly #running = new Set<Promise<void>>()
  #stopTimer: Stop | null = null
  #isClosed = false
  #hasFailed = false

  constructor(options: RepeatOptions, work: () => Promise<void>) {
    this.#options = options
    this.#work = work
  }

  /** Starts the timer. The first run is after a pause; call `runNow` for one before it. */
  start(): void {
    if (this.#isClosed) return
    const { clock, everyMs } = this.#options
    this.#stopTimer = clock.after(everyMs, () => {
      void this.runNow().finally(() => this.start())
    })
  }

  /** Runs the work once, at once. Never rejects. */
  runNow(): Promise<void> {
    const run = this.#run().finally(() => this.#running.delete(run))
    this.#running.add(run)
    return run
  }

  async #run(): Promise<void> {
    try {
      await this.#work()
      this.#hasFailed = false
    } catch (error) {
      // Logged once per series of failures, because the work may run several times a second.
      const { log, what } = this.#options
      if (!this.#hasFailed) log.warn({ error }, `${what}; trying again`)
      this.#hasFailed = true
    }
  }

  /** Stops the timer. Resolves when the runs that are under way have ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopTimer?.()
    await Promise.all(this.#running)
  }
}
