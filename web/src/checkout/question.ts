import { type Clock, systemClock } from '@settlewire/client/clock'
import type { Instant } from '@settlewire/core/instant'

/** Changes may come many times a second: the server is not asked for each. */
const everyMs = 1_000
/** A network that has gone silent answers nothing: then it is asked anew when it is wanted again. */
const answerMsMax = 8_000

/**
 * One question to the server that is asked whenever its answer is wanted: one at a time, once a second
 * at most, and once more where it was wanted again meanwhile.
 */
export class Question<T> {
  readonly #ask: (signal: AbortSignal) => Promise<T>
  readonly #take: (answer: T) => void
  readonly #clock: Clock
  #isWanted = false
  #isAsking = false
  #askedAt: Instant | null = null

  constructor(
    ask: (signal: AbortSignal) => Promise<T>,
    take: (answer: T) => void,
    clock: Clock = systemClock,
  ) {
    this.#ask = ask
    this.#take = take
    this.#clock = clock
  }

  /** Whether an answer is still wanted: it was not asked for yet, or no answer came. */
  get isOpen(): boolean {
    return this.#isWanted || this.#isAsking
  }

  want(): void {
    this.#isWanted = true
    if (!this.#isAsking) void this.#run()
  }

  /** Never rejects. Without an answer it stays wanted, and the next call of `want` asks again. */
  async #run(): Promise<void> {
    this.#isAsking = true
    let isAnswered = true
    while (this.#isWanted && isAnswered) {
      const sinceMs = this.#askedAt === null ? everyMs : this.#clock.now() - this.#askedAt
      // The clock of a device can be set back; no wait is longer than the usual one.
      const waitMs = Math.min(everyMs, everyMs - sinceMs)
      if (waitMs > 0) await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve))
      this.#isWanted = false
      this.#askedAt = this.#clock.now()
      const late = new AbortController()
      const stop = this.#clock.after(answerMsMax, () => late.abort(new Error('no answer came')))
      const answer = await this.#ask(late.signal).then(
        (value) => ({ value }),
        () => null,
      )
      stop()
      isAnswered = answer !== null
      if (answer === null) this.#isWanted = true
      else this.#take(answer.value)
    }
    this.#isAsking = false
  }
}
