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

/** Per status its predecessors, written out a second time so that a slip in the table is found. */
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
  it.each(statuses)('lets a payment reach %s only from its allowed predecessors', (to) => {
    const from = statuses.filter((status) => status !== to && edges[status][to] !== null)
    expect(from.sort()).toEqual([...mayComeFrom[to]].sort())
  })

  it('gives paths that use only edges of the table', () => {
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

  it('passes confirming from expired to succeeded', () => {
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
  ] as const)('gives the path from %s to %s through %s as %j', (from, to, through, way) => {
    expect(pathTo(from, to, through)).toEqual(way)
  })

  it('lets a replacement take a payment back only from some statuses, and only to awaiting', () => {
    for (const from of statuses) {
      expect(isEdge(from, 'replaced', 'awaiting')).toBe(
        from === 'awaiting' || replaceable.includes(from),
      )
      expect(isEdge(from, 'replaced', 'expired')).toBe(from === 'expired')
      expect(isEdge(from, 'resolved', from)).toBe(true)
    }
  })

  it('allows only event types that fit the change of status', () => {
    for (const type of eventTypes) expect(isEdge('cancelled', type, 'succeeded')).toBe(false)
    expect(isEdge('succeeded', 'finalized', 'succeeded')).toBe(true)
    expect(isEdge('succeeded', 'updated', 'awaiting')).toBe(false)
  })
})
