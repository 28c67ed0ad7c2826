import { describe, expect, it } from 'vitest'
import {
  edges,
  eventTypes,
  isEdge,
  pathTo,
  replaceable,
  type Status,
  statuses,
} from './status-model.ts'

/** "May come from", column by column, written out a second time so that a slip in the table shows. */
const mayComeFrom: Record<Status, readonly Status[]> = {
  awaiting: ['pending_detected', 'confirming', 'pending_expired', 'investigation_required'],
  pending_detected: ['awaiting', 'pending_expired', 'expired', 'confirming'],
  pending_expired: ['pending_detected'],
  confirming: [
    'awaiting',
    'pending_detected',
    'pending_expired',
    'expired',
    'investigation_required',
  ],
  succeeded: ['confirming', 'pending_detected', 'awaiting', 'investigation_required'],
  expired: ['awaiting', 'pending_expired'],
  cancelled: ['awaiting', 'pending_expired'],
  failed: [
    ...(['awaiting', 'pending_detected', 'pending_expired', 'confirming', 'expired'] as const),
    'investigation_required',
  ],
  investigation_required: statuses.filter((status) => status !== 'investigation_required'),
}

describe('the status table', () => {
  it.each(statuses)('lets a payment come to %s only from where it may', (to) => {
    const from = statuses.filter((status) => status !== to && edges[status][to] !== null)
    expect(from.sort()).toEqual([...mayComeFrom[to]].sort())
  })

  it('leads everywhere through edges of the table alone', () => {
    for (const from of statuses) {
      for (const to of statuses) {
        let at: Status = from
        for (const next of pathTo(from, to) ?? []) {
          expect(edges[at][next], `${at} to ${next}`).not.toBeNull()
          at = next
        }
      }
    }
  })

  it('tells late money that settled at once as confirming first', () => {
    expect(pathTo('expired', 'succeeded')).toEqual(['confirming', 'succeeded'])
    expect(pathTo('cancelled', 'succeeded')).toBeNull()
  })

  it.each([
    ['pending_detected', 'expired', 'pending_expired', ['pending_expired', 'expired']],
    ['pending_detected', 'expired', null, ['awaiting', 'expired']],
    ['awaiting', 'expired', 'pending_expired', ['expired']],
    ['awaiting', 'pending_expired', null, ['pending_detected', 'pending_expired']],
    ['expired', 'pending_expired', null, ['pending_detected', 'pending_expired']],
    ['confirming', 'pending_expired', null, ['pending_detected', 'pending_expired']],
    ['expired', 'succeeded', 'investigation_required', ['investigation_required', 'succeeded']],
    ['pending_expired', 'succeeded', null, ['confirming', 'succeeded']],
    ['expired', 'awaiting', 'investigation_required', ['investigation_required', 'awaiting']],
    ['expired', 'awaiting', null, null],
    ['investigation_required', 'cancelled', null, ['awaiting', 'cancelled']],
    ['investigation_required', 'expired', null, ['awaiting', 'expired']],
    ['succeeded', 'awaiting', null, null],
  ] as const)('tells the way from %s to %s through %s as %j', (from, to, through, way) => {
    expect(pathTo(from, to, through)).toEqual(way)
  })

  it('lets a replacement take back only what was expected, and only to awaiting', () => {
    for (const from of statuses) {
      expect(isEdge(from, 'replaced', 'awaiting')).toBe(
        from === 'awaiting' || replaceable.includes(from),
      )
      expect(isEdge(from, 'replaced', 'expired')).toBe(from === 'expired')
      expect(isEdge(from, 'resolved', from)).toBe(true)
    }
  })

  it('knows for every type whether it may be told', () => {
    for (const type of eventTypes) expect(isEdge('cancelled', type, 'succeeded')).toBe(false)
    expect(isEdge('succeeded', 'finalized', 'succeeded')).toBe(true)
    expect(isEdge('succeeded', 'updated', 'awaiting')).toBe(false)
  })
})
