import type { Instant } from '@settlewire/core/instant'

/** All counts are per second. */
const windowMs = 1_000
/** After a refusal the next second gets this share of the questions answered in the last one. */
const kept = 0.7
/** The first cut goes no lower: a quiet chain says little about what its node can take. */
const firstMin = 20
const perSecondMin = 5
/** Each second the rate grows by this share of its value before the cut, and at least by 1. */
const growth = 0.05
/** The rate becomes unbounded once it reaches this multiple of that value without a refusal. */
const unboundedTimes = 4

/**
 * Limits how often a provider is asked. Unbounded until the provider refuses; then the limit is set
 * from the number of answered questions, and grows until the provider refuses again. It is cut at
 * most once a second.
 */
export class RequestRate {
  /** Null while no limit is known. */
  #perSecond: number | null = null
  #before = firstMin
  #cutAt: Instant = Number.NEGATIVE_INFINITY
  #grownAt: Instant = 0
  #tokens = 0
  #filledAt: Instant = 0
  #restUntil: Instant = 0
  #window = { since: 0, count: 0, last: 0 }

  get perSecond(): number | null {
    return this.#perSecond
  }

  /** How long the next question must wait, in ms. 0: it may be sent now, and is counted. */
  take(now: Instant): number {
    if (now < this.#restUntil) return this.#restUntil - now
    if (this.#perSecond === null) return 0
    const gained = ((now - this.#filledAt) * this.#perSecond) / windowMs
    this.#tokens = Math.min(Math.max(1, this.#perSecond / 4), this.#tokens + gained)
    this.#filledAt = now
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) * windowMs) / this.#perSecond)
    this.#tokens--
    return 0
  }

  answered(now: Instant): void {
    this.#roll(now)
    this.#window.count++
    if (this.#perSecond === null) return
    const seconds = Math.min(now - this.#grownAt, windowMs) / windowMs
    this.#perSecond += seconds * Math.max(1, this.#before * growth)
    this.#grownAt = now
    if (this.#perSecond > this.#before * unboundedTimes) this.#perSecond = null
  }

  /** The node asked for no questions until then. */
  rest(until: Instant): void {
    this.#restUntil = Math.max(this.#restUntil, until)
  }

  /** A question was refused that the node would answer at another time. */
  refused(now: Instant): void {
    if (now - this.#cutAt < windowMs) return
    this.#roll(now)
    const answered = Math.max(this.#window.count, this.#window.last)
    this.#before = Math.max(answered, this.#perSecond ?? firstMin)
    const bound = this.#perSecond ?? answered
    const rate = kept * (answered === 0 ? bound : Math.min(answered, bound))
    this.#perSecond = Math.max(this.#perSecond === null ? firstMin : perSecondMin, rate)
    this.#cutAt = now
    this.#grownAt = now
    this.#filledAt = now
    this.#tokens = Math.min(this.#tokens, 1)
  }

  #roll(now: Instant): void {
    const { since, count } = this.#window
    if (now - since < windowMs) return
    this.#window = { since: now, count: 0, last: now - since < 2 * windowMs ? count : 0 }
  }
}
