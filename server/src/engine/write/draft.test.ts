import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { describe, expect, it } from 'vitest'
import {
  blockAt,
  included,
  inMempool,
  observeAll,
  opened,
} from '../../../../test/support/payments.ts'
import { BatchDraft } from './draft.ts'

const full = 150_000_000n
const opening = opened()
const { payment } = opening

const decided = (from: typeof opening, ...observations: Parameters<typeof observeAll>[1]) => {
  const after = observeAll(from, observations)
  return { events: after.events.slice(from.events.length), payment: after.payment }
}

const committed = () => new BatchDraft(paymentKind, new Map([[payment.id, payment]]))

describe('BatchDraft, a batch being built', () => {
  it('shows earlier decisions to later commands, and puts all into one append', () => {
    const draft = committed()
    const seen = decided(opening, inMempool('0x1', full))
    draft.add({ decisions: [seen], answer: null })
    expect(draft.get(payment.id)?.status).toBe('pending_detected')

    const next = { payment: seen.payment, events: [...opening.events, ...seen.events] }
    draft.add({ decisions: [decided(next, included('0x1', full, blockAt(9), 1))], answer: null })
    const { appends } = draft.batch()
    expect(appends).toHaveLength(1)
    expect(appends[0]?.expectedSequence).toBe(1)
    expect(appends[0]?.events.map(({ sequence }) => sequence)).toEqual([2, 3])
    expect(appends[0]?.projection.status).toBe('confirming')
  })

  it('stores the deposit index only when the payment is created', () => {
    const draft = new BatchDraft(paymentKind, new Map())
    draft.add({ decisions: [opening], depositIndex: 7, answer: null })
    expect(draft.batch().appends[0]).toMatchObject({ expectedSequence: 0, depositIndex: 7 })

    const moved = committed()
    moved.add({ decisions: [decided(opening, inMempool('0x1', full))], answer: null })
    expect(moved.batch().appends[0]).not.toHaveProperty('depositIndex')
  })

  it('rejects a decision that is based on an outdated payment, and keeps none of its changes', () => {
    const draft = committed()
    const stale = { events: opening.events, payment }
    const cursor = { chain: 'local', fromView: 0, head: headOf(1), reverted: [], applied: [] }
    expect(() => draft.add({ decisions: [stale], cursor, answer: null })).toThrow(/builds on/)
    expect(draft.isEmpty).toBe(true)
  })

  it('is empty when no decision has events', () => {
    const draft = committed()
    draft.add({ decisions: [{ events: [], payment }], answer: null })
    expect(draft.isEmpty).toBe(true)
    expect(draft.changed()).toEqual([])
  })
})

const headOf = (view: number) => ({ view, head: view, safe: null, finalized: null })
