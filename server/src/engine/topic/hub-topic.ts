import { Failure } from '@settlewire/core/errors'
import type { Clock } from '../../ports/clock.ts'
import type { StoredEvent } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Metrics } from '../../ports/metrics.ts'
import type { Stop } from '../../ports/stop.ts'
import type { Hint, Topic } from '../../ports/topic.ts'
import type { Frame } from './hub-frame.ts'
import { Ring } from './hub-ring.ts'

/** A subscriber of a topic. Only the hub moves `position`, forward and one by one. */
export interface Subscriber {
  /** The position of the last event pushed. */
  position: number
  /** Takes the event at `position`. Must return at once; `false` ends the subscription. */
  push(frame: Frame): boolean
  /**
   * The hub has unsubscribed it, because it cannot prove that nothing is missing, the subscriber
   * threw, or the hub closes: it must reconnect later.
   */
  lost(): void
}

/** What every open topic needs. */
export interface TopicNeeds {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'eventLag'>
}

/** How many events one read of the history returns at most. */
export const pageMax = 100
/** A read that takes longer counts as failed. */
const readMs = 10_000
/**
 * Waits before retrying a failed read; after the last one, subscribers that are behind are dropped.
 */
const retriesMs = [50, 100, 200, 400, 800, 1_600, 3_200]
/** Waits for a commit that was announced but is not stored yet; after the last one, give up. */
const aheadMs = [5, 20, 100, 500]

/**
 * The subscribers of one topic in this process. A connect, a reconnect, a hint and a head found by
 * a heartbeat are all handled in one way: each subscriber below the highest known position gets the
 * events after its own. So replay and live delivery are one path.
 */
export class OpenTopic {
  readonly #topic: Topic
  readonly #needs: TopicNeeds
  readonly #empty: () => void
  readonly #subscribers = new Set<Subscriber>()
  readonly #ring: Ring
  /** The highest reported position: only a hint until the history confirms it. */
  #highest = 0
  /**
   * True until the history was read once after subscribing to the backplane: read it in any case.
   */
  #unsure = true
  #looking = false
  #looked: Promise<void> = Promise.resolve()
  #asleep: AbortController | null = null
  #aheadTries = 0
  #stopAhead: Stop | null = null

  /** `empty` is called once, when the last subscriber leaves. */
  constructor(topic: Topic, needs: TopicNeeds, empty: () => void) {
    this.#topic = topic
    this.#ring = new Ring(topic.positionOf)
    this.#needs = needs
    this.#empty = empty
  }

  /** Pushes cached events before it returns. `head`, the last event if just read, saves a read. */
  attach(subscriber: Subscriber, after: number, head?: StoredEvent): Stop {
    subscriber.position = after
    this.#subscribers.add(subscriber)
    const known = Math.max(after, head === undefined ? 0 : this.#topic.positionOf(head))
    if (known > this.#highest) {
      this.moved({ topic: this.#topic.key, position: known, events: head ? [head] : [] })
    } else {
      this.#serve(subscriber, this.#ring.frames)
      if (this.#subscribers.has(subscriber) && this.#isBehind(subscriber)) this.look()
    }
    return () => this.#detach(subscriber)
  }

  /** Handles a hint, which may be late, repeated, out of order, or ahead of the history. */
  moved({ position, events = [] }: Hint): void {
    const { clock, metrics } = this.#needs
    const before = this.#highest
    this.#highest = Math.max(before, position)
    for (const stored of events) this.#ring.take([stored], clock.now())
    if (events.length > 0) this.#deliver(this.#ring.frames)
    for (const stored of events) {
      const { committedAt } = stored
      if (committedAt !== null && this.#topic.positionOf(stored) > before) {
        metrics.eventLag(clock.now() - committedAt)
      }
    }
    if (this.#lowest() !== null) this.look()
  }

  /**
   * Reads until every subscriber has all events of the history, at least up to `position`. Resolves
   * then, or after giving up; never rejects.
   */
  look(position = 0): Promise<void> {
    this.#highest = Math.max(this.#highest, position)
    if (!this.#looking) {
      this.#looking = true
      this.#looked = this.#catchUp()
    }
    return this.#looked
  }

  /** Drops cached frames that are too old. */
  prune(): void {
    this.#ring.prune(this.#needs.clock.now())
  }

  /** Drops every subscriber. */
  close(): void {
    for (const subscriber of this.#subscribers) this.#lose(subscriber)
  }

  /**
   * Never rejects. The last check and the end of `#looking` are synchronous, so no hint is missed.
   */
  async #catchUp(): Promise<void> {
    for (;;) {
      this.#deliver(this.#ring.frames)
      const after = this.#lowest()
      if (after === null) break
      const highestBefore = this.#highest
      const page = await this.#read(after)
      if (page === null) {
        for (const subscriber of this.#subscribers) {
          if (this.#isBehind(subscriber)) this.#lose(subscriber)
        }
        break
      }
      this.#deliver(this.#ring.take(page, this.#needs.clock.now()))
      this.#highest = Math.max(this.#highest, after + page.length)
      if (page.length < pageMax) this.#answered(after + page.length, highestBefore)
    }
    this.#looking = false
  }

  /**
   * The history ended at `head`, in a read that began when `highestBefore` was the highest known
   * position.
   */
  #answered(head: number, highestBefore: number): void {
    this.#unsure = false
    if (head >= highestBefore) {
      this.#aheadTries = 0
      return
    }
    // The hint came before the commit, or it was wrong: retry soon, a limited number of times.
    const wanted = this.#highest
    this.#highest = head
    const delayMs = aheadMs[this.#aheadTries++]
    this.#stopAhead?.()
    if (delayMs === undefined) this.#aheadTries = 0
    else this.#stopAhead = this.#needs.clock.after(delayMs, () => void this.look(wanted))
  }

  /** Events after a position, gapless; null when unreadable or when no subscriber is left. */
  async #read(after: number): Promise<readonly StoredEvent[] | null> {
    const { clock, log } = this.#needs
    for (let attempt = 0; this.#subscribers.size > 0; attempt++) {
      try {
        const page = await this.#inTime(this.#topic.read(after, pageMax))
        return gapless(page, after, this.#topic.positionOf)
      } catch (error) {
        log.warn(
          { area: 'hub', what: this.#topic.key, attempt, error },
          'the history could not be read',
        )
      }
      const waitMs = retriesMs[attempt]
      if (waitMs === undefined) return null
      this.#asleep = new AbortController()
      await clock.sleep(waitMs * (0.5 + clock.chance()), this.#asleep.signal)
    }
    return null
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    let stop: Stop | null = null
    const late = new Promise<never>((_, reject) => {
      stop = this.#needs.clock.after(readMs, () =>
        reject(new Failure('store_unavailable', 'The history did not answer in time.')),
      )
    })
    try {
      return await Promise.race([work, late])
    } finally {
      ;(stop as Stop | null)?.()
    }
  }

  #deliver(frames: readonly Frame[]): void {
    for (const subscriber of this.#subscribers) this.#serve(subscriber, frames)
  }

  /**
   * The only code that moves a position. From consecutive frames it pushes those that come next.
   */
  #serve(subscriber: Subscriber, frames: readonly Frame[]): void {
    const next = subscriber.position + 1 - (frames[0]?.position ?? 0)
    for (let index = next, frame = frames[index]; frame; frame = frames[++index]) {
      // Checked only from the second frame on: with one event for thousands, the check would cost
      // most.
      if (index > next && !this.#subscribers.has(subscriber)) return
      subscriber.position++
      try {
        if (!subscriber.push(frame)) this.#detach(subscriber)
      } catch (error) {
        this.#needs.log.error({ area: 'hub', error }, 'a subscriber threw')
        this.#lose(subscriber)
      }
    }
  }

  #isBehind(subscriber: Subscriber): boolean {
    return this.#unsure || subscriber.position < this.#highest
  }

  /** The lowest position of the subscribers that are behind; null when none is behind. */
  #lowest(): number | null {
    let lowest: number | null = null
    for (const subscriber of this.#subscribers) {
      if (!this.#isBehind(subscriber)) continue
      if (lowest === null || subscriber.position < lowest) lowest = subscriber.position
    }
    return lowest
  }

  #lose(subscriber: Subscriber): void {
    this.#detach(subscriber)
    try {
      subscriber.lost()
    } catch (error) {
      this.#needs.log.error({ area: 'hub', error }, 'a subscriber threw')
    }
  }

  #detach(subscriber: Subscriber): void {
    if (!this.#subscribers.delete(subscriber) || this.#subscribers.size > 0) return
    this.#stopAhead?.()
    this.#asleep?.abort()
    this.#empty()
  }
}

/** The events consecutive from `after`, up to the first gap: events behind a gap are not used. */
function gapless(
  events: readonly StoredEvent[],
  after: number,
  positionOf: Topic['positionOf'],
): readonly StoredEvent[] {
  const gap = events.findIndex((event, index) => positionOf(event) !== after + 1 + index)
  return gap < 0 ? events : events.slice(0, gap)
}
