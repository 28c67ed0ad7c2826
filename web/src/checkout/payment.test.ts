import { describe, expect, it } from 'vitest'
import { eventOf, fixtures, payment } from '../../../test/support/checkout-fixtures.ts'
import { applyEvent, applyResource, shownFrom } from './payment.ts'

const later = (name: keyof typeof fixtures, sequence: number) =>
  eventOf({ ...fixtures[name], sequence }).data

describe('the state that the page shows', () => {
  it('changes with every newer event, and with no other', () => {
    const first = shownFrom(fixtures.awaiting)
    const detected = applyEvent(first, later('pending_detected', 6))
    expect(detected.payment).toMatchObject({ status: 'pending_detected', amountPending: '150.00' })
    expect(applyEvent(detected, later('awaiting', 5))).toEqual(detected)
    expect(applyEvent(detected, later('awaiting', 6))).toEqual(detected)
  })

  it('returns to awaiting with a newer event of a reorg', () => {
    const confirming = shownFrom(fixtures.confirming)
    const back = applyEvent(confirming, later('awaiting-again', 6))
    expect(back.payment).toMatchObject({ status: 'awaiting', reason: 'transaction_reorged' })
    expect(back.progress.confirmations).toBe(0)
  })

  it('has the confirmations of the transfer that is furthest behind', () => {
    const [one] = fixtures.confirming.transfers
    if (one === undefined) throw new Error('the fixture has a transfer')
    const transfers = [{ ...one, confirmations: 7 }, one, { ...one, stage: 'ignored' as const }]
    const shown = shownFrom(payment({ transfers }))
    expect(shown.progress).toMatchObject({ confirmations: 1, required: 3, chain: 'local' })
  })

  it('shows no reason after an event whose reason is about a replacement', () => {
    const replaced = { reason: 'replaced_elsewhere', replacedTxHash: '0x1' }
    const shown = applyEvent(shownFrom(fixtures['awaiting-again']), {
      ...later('confirming', 6),
      ...replaced,
    })
    expect(shown.payment.reason).toBeNull()
  })

  it('ignores a resource that is older than the last event', () => {
    const confirming = applyEvent(shownFrom(fixtures.awaiting), later('confirming', 9))
    expect(applyResource(confirming, { ...fixtures.pending_detected, sequence: 8 })).toBe(
      confirming,
    )
  })
})
