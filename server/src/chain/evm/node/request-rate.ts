import type { Instant } from '@settlewire/core/instant'

/** What is counted is counted per second. */
const windowMs = 1_000
/** After a refusal so much of what was answered in a second is asked in the next. */
const kept = 0.7
/** The first cut goes no lower: a quiet chain shows little of what its node would bear. */
const firstMin = 20
const perSecondMin = 5
/** Each second the rate grows by so much of what it was before the cut, */
const growth = 0.05
/** and it counts as unbounded once it is so many times as high without a refusal. */
const unboundedTimes = 4

/**
 * How often a provider may be asked. Unbounded until it refuses; then what it answered is the measure,
 * and the rate grows step by step until it refuses again. It is cut once a second at most.
 */
export class RequestRate {
  /** Null as long as no bound is known. */
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

  /** How long the next question must wait. 0: it may go, and is counted. */
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

  /** The node wants to be left alone until then. */
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
