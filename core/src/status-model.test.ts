import { describe, expect, it } from 'vitest'
import { edges, eventTypes, isEdge, pathTo, type Status, statuses } from './status-model.ts'

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

  it('knows for every type whether it may be told', () => {
    for (const type of eventTypes) expect(isEdge('cancelled', type, 'succeeded')).toBe(false)
    expect(isEdge('succeeded', 'finalized', 'succeeded')).toBe(true)
    expect(isEdge('succeeded', 'updated', 'awaiting')).toBe(false)
  })
})
