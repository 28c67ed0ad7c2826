import type { Instant } from '@settlewire/core/instant'
import { feedKey, feedTopic, paymentTopic } from '../../engine/topic/topics.ts'
import type { EventStore } from '../../ports/history.ts'
import type { FeedKey } from '../../ports/processes.ts'
import type { Topic } from '../../ports/topic.ts'
import type { StreamUntil } from './stream-end.ts'

/** When a stream of a payment ends by itself. */
export interface StreamEnds {
  readonly until: StreamUntil
  /** When the watch of the payment ends. */
  readonly monitorUntil: Instant
}

/** What a stream follows: one payment, or all payments of a merchant in one mode. */
export type StreamSource = PaymentSource | FeedSource

/**
 * The events of a payment, by sequence. Each open stream holds one, so it has few fields, and makes
 * its topic when it is asked for.
 */
export class PaymentSource implements StreamEnds {
  readonly id: string
  /** The chains whose visibility heartbeats report. */
  readonly chains: readonly string[]
  readonly until: StreamUntil
  readonly monitorUntil: Instant
  readonly #store: Pick<EventStore, 'read'>

  constructor(
    payment: { readonly id: string; readonly chains: readonly string[] } & StreamEnds,
    store: Pick<EventStore, 'read'>,
  ) {
    this.id = payment.id
    this.chains = payment.chains
    this.until = payment.until
    this.monitorUntil = payment.monitorUntil
    this.#store = store
  }

  get topic(): Topic {
    return paymentTopic(this.id, this.#store)
  }

  get ends(): StreamEnds {
    return this
  }

  get feed(): null {
    return null
  }
}

const noChains: readonly string[] = []

/** The events of a merchant's payments, by position. It never ends. */
export class FeedSource {
  /** The key of the feed's topic. */
  readonly id: string
  readonly feed: FeedKey
  readonly #store: Pick<EventStore, 'feed'>

  constructor(feed: FeedKey, store: Pick<EventStore, 'feed'>) {
    this.id = feedKey(feed)
    this.feed = feed
    this.#store = store
  }

  get topic(): Topic {
    return feedTopic(this.feed, this.#store)
  }

  get chains(): readonly string[] {
    return noChains
  }

  get ends(): null {
    return null
  }
}
