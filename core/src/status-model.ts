/** Where a payment intent stands. One word, shared by every surface. */
export const statuses = [
  'awaiting',
  'pending_detected',
  'pending_expired',
  'confirming',
  'succeeded',
  'expired',
  'cancelled',
  'failed',
  'investigation_required',
] as const
export type Status = (typeof statuses)[number]

/** What an event says. On the wire it is `payment_intent.<type>`. */
export const eventTypes = [
  'created',
  'pending',
  'replaced',
  'pending_expired',
  'confirming',
  'reorged',
  'succeeded',
  'finalized',
  'updated',
  'expired',
  'cancelled',
  'failed',
  'investigation_required',
  'resolved',
] as const
export type EventType = (typeof eventTypes)[number]

/** Said beside the status, several at once, never instead of it. */
export const flags = [
  'underpaid',
  'overpaid',
  'late',
  'multiple_transfers',
  'duplicate_payment',
  'wrong_token',
  'wrong_chain',
  'dust',
  'fee_on_transfer',
  'reorg_seen',
  'replaced_seen',
  'single_source',
  'sources_disagree',
  'manually_marked',
] as const
export type Flag = (typeof flags)[number]

export type Finality = 'none' | 'safe' | 'final'
