import { Failure } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { Clock } from '../ports/clock.ts'

interface AllowanceTerms {
  readonly clock: Pick<Clock, 'now'>
  /** How many calls may come at once. */
  readonly burst: number
  /** After a burst one more call is allowed every so many milliseconds. */
  readonly everyMs: number
}

/** How many names are remembered. A forgotten name gets a full burst again, which does no harm. */
const namesMax = 10_000

/** A rate limit per name, for example per payment. It stores one number for each name. */
export class Allowance {
  readonly #terms: AllowanceTerms
  /** When each name has its whole burst again, if it makes no more calls. */
  readonly #fullAt = new Map<string, Instant>()

  constructor(terms: AllowanceTerms) {
    this.#terms = terms
  }

  /** Counts one call. Throws `rate_limited` beyond the limit, with the time until the next call. */
  take(name: string): void {
    const { clock, burst, everyMs } = this.#terms
    const now = clock.now()
    const fullAt = Math.max(now, this.#fullAt.get(name) ?? now) + everyMs
    const waitMs = fullAt - now - burst * everyMs
    if (waitMs > 0) {
      const retryAfterSeconds = Math.ceil(waitMs / 1_000)
      throw new Failure('rate_limited', undefined, { retryAfterSeconds })
    }
    // Re-inserted last, so that the first name in the map is the least recently used.
    this.#fullAt.delete(name)
    this.#fullAt.set(name, fullAt)
    if (this.#fullAt.size <= namesMax) return
    const [quietest] = this.#fullAt.keys()
    if (quietest !== undefined) this.#fullAt.delete(quietest)
  }
}
