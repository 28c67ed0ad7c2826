import { Failure } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { Clock } from '../ports/clock.ts'

interface AllowanceTerms {
  readonly clock: Pick<Clock, 'now'>
  /** So many at once. */
  readonly burst: number
  /** Then one each so many milliseconds. */
  readonly everyMs: number
}

/** Names that are remembered at a time. Whoever is forgotten begins anew, which is no harm. */
const namesMax = 10_000

/** How often something may be asked for, by whatever it is about. Costs one number for each name. */
export class Allowance {
  readonly #terms: AllowanceTerms
  /** When each name would have its whole burst again. */
  readonly #fullAt = new Map<string, Instant>()

  constructor(terms: AllowanceTerms) {
    this.#terms = terms
  }

  /** Takes one. Throws `rate_limited` when there is none, with the time until there is. */
  take(name: string): void {
    const { clock, burst, everyMs } = this.#terms
    const now = clock.now()
    const fullAt = Math.max(now, this.#fullAt.get(name) ?? now) + everyMs
    const waitMs = fullAt - now - burst * everyMs
    if (waitMs > 0) {
      const retryAfterSeconds = Math.ceil(waitMs / 1_000)
      throw new Failure('rate_limited', undefined, { retryAfterSeconds })
    }
    // The newest goes last, so that the first is the one that was quiet for the longest time.
    this.#fullAt.delete(name)
    this.#fullAt.set(name, fullAt)
    if (this.#fullAt.size <= namesMax) return
    const [quietest] = this.#fullAt.keys()
    if (quietest !== undefined) this.#fullAt.delete(quietest)
  }
}
