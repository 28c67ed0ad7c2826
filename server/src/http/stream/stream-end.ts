import type { Instant } from '@settlewire/core/instant'
import { type Finality, type Status, statusTable } from '@settlewire/core/payment/status-model'

/** How long a reader follows a payment: to the first end, or to one that can no longer change. */
export type StreamUntil = 'end' | 'final'

/** Status and finality of a payment after an event. */
export interface EventStanding {
  readonly status: Status
  readonly finality: Finality
}

/**
 * Whether a reader is done after this event. It depends on the event alone, so that a reader who
 * resumes later ends at the same event as a live reader.
 */
export function isEnd({ status, finality }: EventStanding, until: StreamUntil): boolean {
  if (!statusTable[status].endsStream) return false
  return until === 'end' || status !== 'succeeded' || finality === 'final'
}

/**
 * Whether the payment has expired and its watch is over. No event is emitted for this end. It
 * applies only to the payment's last event, and only with `until: 'final'`.
 */
export const isWatchedOut = (
  { status }: Pick<EventStanding, 'status'>,
  { until, monitorUntil }: { readonly until: StreamUntil; readonly monitorUntil: Instant },
  now: Instant,
): boolean => until === 'final' && status === 'expired' && now >= monitorUntil
