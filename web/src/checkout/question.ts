import { type Clock, systemClock } from '@settlewire/client/clock'
import type { Instant } from '@settlewire/core/instant'

/** Minimum interval between requests: changes may come many times a second. */
const everyMs = 1_000
/**
 * How long a response may take, at the first try and at later ones: a dead network drops a request
 * silently, but a slow network needs time.
 */
const answerMsMax = [3_000, 8_000, 8_000]

/**
 * A request that is sent whenever its answer is wanted: one at a time, at most once a second
 * (sooner after `renew`), and once more if it was wanted again meanwhile.
 */
export class WantedRequest<T> {
  readonly #ask: (signal: AbortSignal) => Promise<T>
  readonly #take: (answer: T) => void
  readonly #clock: Clock
  #isWanted = false
  #isAsking = false
  #askedAt: Instant | null = null
  /** The number of failed tries in a row. */
  #failures = 0
  /** Aborts the running try; null while none runs. */
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

  /** Whether an answer is still wanted: the request is pending, running, or failed. */
  get isOpen(): boolean {
    return this.#isWanted || this.#isAsking
  }

  want(): void {
    this.#isWanted = true
    if (!this.#isAsking) void this.#run()
  }

  /** The connection to the server has changed: aborts a try on the old one and sends it again. */
  renew(): void {
    if (this.#way !== null) {
      // The try that is aborted here neither counts as a failure nor delays the next one.
      this.#failures = -1
      this.#askedAt = null
      this.#way.abort()
    }
    this.want()
  }

  /** Never rejects. If all tries fail, the answer stays wanted, and the next `want` tries again. */
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
    // The clock of a device can be set back, so limit the wait to the usual interval.
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
