import type { Clock } from '../../ports/clock.ts'
import type { EventStore } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Stop } from '../../ports/stop.ts'

export interface AnswerSweepOptions {
  readonly clock: Pick<Clock, 'now' | 'after'>
  readonly store: Pick<EventStore, 'forgetAnswers'>
  readonly log: Log
}

/** Answers are kept for a day, as documented, and an hour more because clients' clocks differ. */
const answerKeptMs = 25 * 3_600_000
/** How often old answers are deleted, how many per statement, and how many statements per sweep. */
const everyMs = 60_000
const batchMax = 1_000
const batchesMax = 60

/** Deletes answers to Idempotency-Keys that are older than promised, a few at a time. */
export class AnswerSweep {
  readonly #options: AnswerSweepOptions
  #stopTimer: Stop | null = null
  #sweeping: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: AnswerSweepOptions) {
    this.#options = options
  }

  /** Sweeps at once, and then every minute. */
  start(): void {
    this.#sweeping = this.#sweep().finally(() => {
      if (this.#isClosed) return
      this.#stopTimer = this.#options.clock.after(everyMs, () => this.start())
    })
  }

  /** Resolves when a running sweep has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopTimer?.()
    await this.#sweeping
  }

  /** Never rejects. */
  async #sweep(): Promise<void> {
    const { clock, store, log } = this.#options
    try {
      for (let batch = 0; batch < batchesMax && !this.#isClosed; batch++) {
        const gone = await store.forgetAnswers(clock.now() - answerKeptMs, batchMax)
        if (gone < batchMax) return
      }
    } catch (error) {
      log.warn({ error }, 'old answers to idempotency keys could not be deleted; trying again')
    }
  }
}
