import type { Instant } from '@settlewire/core/instant'
import { type Finality, type Status, statusTable } from '@settlewire/core/payment/status-model'

/** How far a reader follows a payment: to the first end, or to one that cannot change any more. */
export type Until = 'end' | 'final'

/** Where a payment stands by an event. */
export interface Standing {
  readonly status: Status
  readonly finality: Finality
}

/**
 * Whether a reader who was given this event is done. It depends on the event alone, so that a reader who
 * resumes ends at the same event as one who was there when it came.
 */
export function isEnd({ status, finality }: Standing, until: Until): boolean {
  if (!statusTable[status].endsStream) return false
  return until === 'end' || status !== 'succeeded' || finality === 'final'
}

/**
 * Whether time has made an end of it: expired, and watched no longer. Only of a payment's last event, and
 * only for those who follow it to the last: no event says so.
 */
export const isWatchedOut = (
  { status }: Pick<Standing, 'status'>,
  { until, monitorUntil }: { readonly until: Until; readonly monitorUntil: Instant },
  now: Instant,
): boolean => until === 'final' && status === 'expired' && now >= monitorUntil
