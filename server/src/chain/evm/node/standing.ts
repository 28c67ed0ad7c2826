import type { Clock } from '../../../ports/clock.ts'
import type { Stop } from '../../../ports/stop.ts'
import { isRefusal } from './answer.ts'
import { backoffMs } from './backoff.ts'
import type { FollowerLimits } from './limits.ts'

interface StandingSubscriptionParts {
  readonly clock: Clock
  readonly limits: Pick<FollowerLimits, 'backoff' | 'unsupportedForMs'>
  /** Null when the node does not support the subscription. */
  readonly subscribe: () => Promise<Stop | null>
  readonly closed: Promise<unknown>
  /** Called when the node begins to refuse the subscription, and when it no longer refuses it. */
  readonly changed: () => void
}

/**
 * Keeps a subscription for the life of a connection. While the node refuses it, retries until it is
 * granted; where the node does not support it, retries seldom.
 */
export class StandingSubscription {
  readonly #parts: StandingSubscriptionParts
  #stop: Stop | null = null
  #isRefused = false
  #isOver = false
  #round = 0
  #stopRetry: Stop = () => undefined

  constructor(parts: StandingSubscriptionParts) {
    this.#parts = parts
    void parts.closed.then(() => {
      this.#isOver = true
      this.#stopRetry()
    })
  }

  get isOn(): boolean {
    return this.#stop !== null
  }

  /** The node refused the subscription at the last try, or a retry failed for another reason. */
  get isRefused(): boolean {
    return this.#isRefused
  }

  /**
   * Subscribes, again if it already was. Resolves after the first try, also if the node refused it;
   * rejects if it failed for another reason.
   */
  async begin(): Promise<void> {
    this.#stop?.()
    this.#stop = null
    this.#stopRetry()
    await this.#try(++this.#round, 0)
  }

  async #try(round: number, tries: number): Promise<void> {
    const { subscribe, clock, limits, changed } = this.#parts
    const wasRefused = this.#isRefused
    let isRefused = false
    try {
      const stop = await subscribe()
      // A later call of `begin` has replaced this one.
      if (round !== this.#round) return stop?.()
      this.#stop = stop
    } catch (error) {
      isRefused = tries > 0 || isRefusal(error)
      if (!isRefused) throw error
    }
    if (round !== this.#round || this.#isOver) return
    this.#isRefused = isRefused
    if (isRefused !== wasRefused) changed()
    if (this.#stop !== null) return
    const waitMs = isRefused
      ? backoffMs(tries, limits.backoff, clock.chance())
      : limits.unsupportedForMs
    this.#stopRetry = clock.after(waitMs, () => void this.#try(round, tries + 1))
  }
}
