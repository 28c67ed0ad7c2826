import { type Clock, systemClock } from '@settlewire/client/clock'
import type { Instant } from '@settlewire/core/instant'

/** Changes may come many times a second: the server is not asked for each. */
const everyMs = 1_000
/**
 * So long an answer may take, at the first try and at those after it: a network that has gone silent
 * swallows a question without a word, and a slow one needs time.
 */
const answerMsMax = [3_000, 8_000, 8_000]

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
  /** How many tries in a row were not answered. */
  #failures = 0
  /** Ends the try that is on its way. */
  #way: AbortController | null = null

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

  /** The way to the server is another than before: a question that is still on the old one is asked anew. */
  renew(): void {
    // The try that ends here is no failure.
    if (this.#way !== null) this.#failures = -1
    this.#way?.abort()
    this.want()
  }

  /** Never rejects. Where no try is answered it stays wanted, and the next call of `want` asks again. */
  async #run(): Promise<void> {
    this.#isAsking = true
    this.#failures = 0
    while (this.#isWanted) {
      const answerMs = answerMsMax[this.#failures]
      if (answerMs === undefined) break
      await this.#try(answerMs)
    }
    this.#isAsking = false
  }

  async #try(answerMs: number): Promise<void> {
    const sinceMs = this.#askedAt === null ? everyMs : this.#clock.now() - this.#askedAt
    // The clock of a device can be set back; no wait is longer than the usual one.
    const waitMs = Math.min(everyMs, everyMs - sinceMs)
    if (waitMs > 0) await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve))
    this.#isWanted = false
    this.#askedAt = this.#clock.now()
    const late = new AbortController()
    this.#way = late
    const stop = this.#clock.after(answerMs, () => late.abort())
    const answer = await this.#ask(late.signal).then(
      (value) => ({ value }),
      () => null,
    )
    stop()
    this.#way = null
    if (answer === null) {
      this.#isWanted = true
      this.#failures++
      return
    }
    this.#failures = 0
    this.#take(answer.value)
  }
}
