import type { Instant } from '@settlewire/core/instant'
import { feedTopic, paymentTopic } from '../../engine/topic/topics.ts'
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
export interface StreamSource {
  readonly topic: Topic
  /** Whose head a heartbeat reads. */
  readonly of: { readonly paymentId: string } | { readonly feed: FeedKey }
  /** The chains whose visibility heartbeats report; none for a feed. */
  readonly chains: readonly string[]
  /** Null for a feed, which never ends. */
  readonly ends: StreamEnds | null
}

/** The events of a payment, by sequence. */
export const paymentSource = (
  payment: { readonly id: string; readonly chains: readonly string[] } & StreamEnds,
  store: Pick<EventStore, 'read'>,
): StreamSource => ({
  topic: paymentTopic(payment.id, store),
  of: { paymentId: payment.id },
  chains: payment.chains,
  ends: { until: payment.until, monitorUntil: payment.monitorUntil },
})

/** The events of a merchant's payments, by position. */
export const feedSource = (feed: FeedKey, store: Pick<EventStore, 'feed'>): StreamSource => ({
  topic: feedTopic(feed, store),
  of: { feed },
  chains: [],
  ends: null,
})
