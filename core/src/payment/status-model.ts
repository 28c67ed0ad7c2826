/** The status of a payment intent. Every API, page and document uses these words. */
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

/** The types of events. On the wire a type is `payment_intent.<type>`. */
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

/** Shown beside the status, several at once, never instead of it. */
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

/** How irrevocable the money of a payment is; `final` means that no change is expected. */
export type Finality = 'none' | 'safe' | 'final'

/** What a status means for readers of the payment. */
export interface StatusRow {
  /**
   * `open`: the payer or time may still change it. `closed`: the payer need do nothing more; only
   * lost or unexpected money, or a person, changes it.
   */
  readonly life: 'open' | 'closed'
  /** Whether the payer's countdown still runs. */
  readonly countsDown: boolean
  /**
   * Whether a stream ends after it; with `until=final`, after `succeeded` only once it is final.
   */
  readonly endsStream: boolean
}

/** Every status; `notices.ts` has their meanings. Printed to docs/generated/states.md. */
export const statusTable: Readonly<Record<Status, StatusRow>> = {
  awaiting: { life: 'open', countsDown: true, endsStream: false },
  pending_detected: { life: 'open', countsDown: false, endsStream: false },
  pending_expired: { life: 'open', countsDown: true, endsStream: false },
  confirming: { life: 'open', countsDown: false, endsStream: false },
  succeeded: { life: 'closed', countsDown: false, endsStream: true },
  expired: { life: 'open', countsDown: false, endsStream: false },
  cancelled: { life: 'closed', countsDown: false, endsStream: true },
  failed: { life: 'closed', countsDown: false, endsStream: true },
  investigation_required: { life: 'open', countsDown: false, endsStream: false },
}

type Cell = EventType | null

/** No edge leads there. */
const no = null

/**
 * Every edge: row = from, column = to, cell = the type of its event. The diagonal is progress
 * within a status. `isEdge` adds the types that are allowed at any time, and those that take a
 * payment back. `null`: no event leads there; `pathTo` finds the statuses between.
 */
export const edges: Readonly<Record<Status, Readonly<Record<Status, Cell>>>> = {
  awaiting: {
    awaiting: 'updated',
    pending_detected: 'pending',
    pending_expired: no,
    confirming: 'confirming',
    succeeded: 'succeeded',
    expired: 'expired',
    cancelled: 'cancelled',
    failed: 'failed',
    investigation_required: 'investigation_required',
  },
  pending_detected: {
    awaiting: 'updated',
    pending_detected: 'updated',
    pending_expired: 'pending_expired',
    confirming: 'confirming',
    succeeded: 'succeeded',
    expired: no,
    cancelled: no,
    failed: 'failed',
    investigation_required: 'investigation_required',
  },
  pending_expired: {
    awaiting: 'updated',
    pending_detected: 'pending',
    pending_expired: 'updated',
    confirming: 'confirming',
    succeeded: no,
    expired: 'expired',
    cancelled: 'cancelled',
    failed: 'failed',
    investigation_required: 'investigation_required',
  },
  confirming: {
    awaiting: 'reorged',
    pending_detected: 'reorged',
    pending_expired: no,
    confirming: 'confirming',
    succeeded: 'succeeded',
    expired: no,
    cancelled: no,
    failed: 'failed',
    investigation_required: 'investigation_required',
  },
  succeeded: {
    awaiting: no,
    pending_detected: no,
    pending_expired: no,
    confirming: no,
    succeeded: 'updated',
    expired: no,
    cancelled: no,
    failed: no,
    investigation_required: 'investigation_required',
  },
  expired: {
    awaiting: no,
    pending_detected: 'pending',
    pending_expired: no,
    confirming: 'confirming',
    succeeded: no,
    expired: 'updated',
    cancelled: no,
    failed: 'failed',
    investigation_required: 'investigation_required',
  },
  cancelled: {
    awaiting: no,
    pending_detected: no,
    pending_expired: no,
    confirming: no,
    succeeded: no,
    expired: no,
    cancelled: 'updated',
    failed: no,
    investigation_required: 'investigation_required',
  },
  failed: {
    awaiting: no,
    pending_detected: no,
    pending_expired: no,
    confirming: no,
    succeeded: no,
    expired: no,
    cancelled: no,
    failed: 'updated',
    investigation_required: 'investigation_required',
  },
  investigation_required: {
    awaiting: 'resolved',
    pending_detected: no,
    pending_expired: no,
    confirming: 'confirming',
    succeeded: 'succeeded',
    expired: no,
    cancelled: no,
    failed: 'failed',
    investigation_required: 'updated',
  },
}

/**
 * The status to pass through when no edge leads there directly: money passes through `confirming`,
 * a dropped transaction was detected before, and everything else begins at `awaiting`.
 */
const usualWay: Readonly<Record<Status, Status | null>> = {
  awaiting: null,
  pending_detected: 'awaiting',
  pending_expired: 'pending_detected',
  confirming: 'awaiting',
  succeeded: 'confirming',
  expired: 'awaiting',
  cancelled: 'awaiting',
  failed: 'awaiting',
  investigation_required: null,
}

/**
 * The statuses to pass, in order, from one status to another: usually just the target. If no edge
 * leads there directly, `through` is tried first, then the usual way. Empty if both are the same,
 * null if no way exists.
 */
export function pathTo(
  from: Status,
  to: Status,
  through: Status | null = null,
): readonly Status[] | null {
  if (from === to) return []
  if (edges[from][to] !== null) return [to]
  if (through !== null && edges[from][through] !== null && edges[through][to] !== null)
    return [through, to]
  const via = usualWay[to]
  if (via === null) return null
  const way = pathTo(from, via)
  return way === null || edges[via][to] === null ? null : [...way, to]
}

/**
 * Types of events that may be emitted at any time without a change of status: changed amounts or
 * flags, a reorg or a replacement that leaves the status as it is, finality, and a decision of a
 * person.
 */
export const aside: readonly EventType[] = [
  'updated',
  'reorged',
  'replaced',
  'finalized',
  'resolved',
]

/** From these statuses a `replaced` event may take a payment back to `awaiting`. */
export const replaceable: readonly Status[] = ['pending_detected', 'pending_expired', 'confirming']

/** Types that take a payment back from `confirming` when its money is denied or set aside. */
export const retracting: readonly EventType[] = ['updated', 'resolved']

/** The statuses to which an event of a `retracting` type takes the payment back. */
export const retractable: readonly Status[] = ['awaiting', 'pending_detected']

/** Whether an event of this type may take a payment from one status to another. */
export const isEdge = (from: Status, type: EventType, to: Status): boolean =>
  edges[from][to] === type ||
  (from === to && aside.includes(type)) ||
  (type === 'replaced' && to === 'awaiting' && replaceable.includes(from)) ||
  (retracting.includes(type) && from === 'confirming' && retractable.includes(to))
