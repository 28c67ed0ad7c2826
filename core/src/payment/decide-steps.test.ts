import { describe, expect, it } from 'vitest'
import { contestAt, includedIn, pendingIn } from '../../../test/support/observations.ts'
import {
  blockAt,
  bornAt,
  contextAt,
  headAt,
  included,
  observeAll,
  observeInSteps,
  opened,
  reorged,
} from '../../../test/support/payments.ts'
import { decide } from './decide.ts'
import type { Observation } from './observation.ts'

describe('the decision on one step', () => {
  const step = (count: number): Observation[] => [
    ...Array.from({ length: count }, (_, i) => included(`0x${i}`, 1_000_000n, blockAt(10), 1)),
    headAt(10, 1),
  ]

  it('emits one event for fifty transfers of a block', () => {
    const { payment, events } = decide(opened().payment, step(50), contextAt(bornAt + 9_000))
    expect(events.map(({ type, data }) => [type, data.receivedAmount])).toEqual([
      ['updated', '50.00'],
    ])
    expect(events[0]?.evidence.facts).toHaveLength(51)
    expect(payment.facts.transactions).toHaveLength(50)
  })

  it('leaves observations that add nothing out of the evidence', () => {
    const { payment } = decide(opened().payment, step(2), contextAt(bornAt + 9_000))
    const { events } = decide(payment, [...step(3), headAt(11, 2)], contextAt(bornAt + 11_000))
    expect(events.map(({ evidence }) => evidence.facts)).toEqual([
      [included('0x2', 1_000_000n, blockAt(10), 1), headAt(11, 2)],
    ])
    expect(decide(payment, step(2), contextAt(bornAt + 12_000)).events).toEqual([])
  })

  it('emits the event for a reorg before the event for new blocks', () => {
    const paid = observeAll(opened(), [
      included('0x1', 150_000_000n, blockAt(10), 1),
      headAt(10, 1),
    ])
    const { events } = decide(
      paid.payment,
      [
        reorged('0x1', blockAt(10), { view: 2, inMempool: true }),
        included('0x1', 150_000_000n, blockAt(11, 'b'), 2),
        headAt(11, 2),
      ],
      contextAt(bornAt + 30_000),
    )
    expect(events.map(({ type, data }) => [type, data.status])).toEqual([
      ['reorged', 'pending_detected'],
      ['confirming', 'confirming'],
    ])
  })

  it('emits an event for each replacement', () => {
    const before = observeInSteps(opened(), [
      [pendingIn('0x1', 10_000_000n, { contest: contestAt(1, 5n), view: 0 })],
      [pendingIn('0x2', 10_000_000n, { contest: contestAt(2, 5n), view: 0 })],
    ])
    const { events } = decide(
      before.payment,
      [
        includedIn('0x3', 10_000_000n, { block: blockAt(10), view: 1, contest: contestAt(1, 9n) }),
        includedIn('0x4', 10_000_000n, { block: blockAt(10), view: 1, contest: contestAt(2, 9n) }),
      ],
      contextAt(bornAt + 9_000),
    )
    expect(events.map(({ type, data }) => [type, data.replacedTxHash, data.txHash])).toEqual([
      ['replaced', '0x1', '0x3'],
      ['replaced', '0x2', '0x4'],
    ])
  })

  it('keeps a success when a shorter head arrives together with a new transfer', () => {
    const told = observeAll(opened(), [
      included('0x1', 150_000_000n, blockAt(10), 1),
      headAt(12, 3),
    ])
    expect(told.payment.status).toBe('succeeded')
    const { payment, events } = decide(
      told.payment,
      [included('0x2', 1n, blockAt(10), 4), headAt(10, 4)],
      contextAt(bornAt + 30_000),
    )
    expect(events.map(({ type }) => type)).toEqual(['updated'])
    expect(payment.status).toBe('succeeded')
  })
})
