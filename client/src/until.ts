import type { EventData } from '@settlewire/core/payment/event'
import { statusTable } from '@settlewire/core/payment/status-model'

/**
 * When a watch ends. `closed`: when the payment succeeds, fails or is cancelled. `final`: a watch
 * of a payment that succeeded continues until nothing can take its money back.
 */
export type Until = 'closed' | 'final'

type WatchedState = Pick<EventData, 'status' | 'finality'>

/** Whether the money of a succeeded payment can still be taken back. */
export const isRevocable = ({ status, finality }: WatchedState): boolean =>
  status === 'succeeded' && finality !== 'final'

/** Whether a watch ends at this event. */
export const endsWatch = (standing: WatchedState, until: Until): boolean =>
  statusTable[standing.status].endsStream && !(until === 'final' && isRevocable(standing))
