import { describe, expect, it } from 'vitest'
import {
  claimed,
  contestAt,
  decided,
  dropped,
  pendingIn,
  rival,
} from '../../../test/support/observations.ts'
import {
  blockAt,
  bornAt,
  clockAt,
  headAt,
  included,
  inMempool,
  observeAll,
  opened,
  policy,
  reorged,
} from '../../../test/support/payments.ts'
import { nextDeadline, openClaims, overdue } from './deadline.ts'
import { isCancellable } from './decide.ts'
import type { Observation } from './observation.ts'
import { transfersOf } from './transfer.ts'

const full = 150_000_000n
const ttlMs = 60_000
const expiresAt = bornAt + 1_800_000
const terms = { pendingTtlMs: ttlMs }
const told = (observations: readonly Observation[]) => {
  const { payment, events } = observeAll(opened(terms), observations)
  const types = events.slice(1).map(({ type, data }) => `${type}:${data.status}`)
  const stages = transfersOf(payment, policy).map(({ stage }) => stage)
  return { payment, types, stages }
}

describe('a transaction that times out and is dropped', () => {
  it('is pending until its time-out, and overdue after that', () => {
    const { payment } = told([inMempool('0x1', full, 5)])
    const seenAt = bornAt + 10_000
    expect(nextDeadline(payment)).toBe(seenAt + ttlMs)
    expect(overdue(payment, seenAt + ttlMs)).toEqual([])
    expect(overdue(payment, seenAt + ttlMs + 1)).toEqual([
      { chain: 'local', txHash: '0x1', since: seenAt + ttlMs },
    ])
  })

  it('has a time-out of four hours if the terms set none', () => {
    const { payment } = observeAll(opened(), [inMempool('0x1', full)])
    expect(nextDeadline(payment)).toBe(bornAt + 4 * 3_600_000)
  })

  it('makes the payment pending_expired with a reason and without a pending amount', () => {
    const { payment, types, stages } = told([inMempool('0x1', full), dropped('0x1', 40)])
    expect(types).toEqual(['pending:pending_detected', 'pending_expired:pending_expired'])
    expect(payment.reason).toBe('transaction_dropped')
    expect([payment.pending, stages]).toEqual([0n, ['dropped']])
    expect(overdue(payment, bornAt + 10 * ttlMs)).toEqual([])
    expect(nextDeadline(payment)).toBe(expiresAt)
    expect(isCancellable(payment)).toBe(true)
  })

  it('makes the payment pending_detected again when a pool shows it again', () => {
    const { payment, types } = told([
      ...[inMempool('0x1', full), dropped('0x1', 40)],
      inMempool('0x1', full, 41),
    ])
    expect(types.at(-1)).toBe('pending:pending_detected')
    expect(payment.pending).toBe(full)
    expect(overdue(payment, bornAt + 10 * ttlMs)).toHaveLength(1)
  })

  it('makes the payment confirming when a block holds it after all, and may succeed', () => {
    const { types } = told([
      ...[inMempool('0x1', full), dropped('0x1', 40)],
      ...[included('0x1', full, blockAt(50), 45), headAt(52, 47)],
    ])
    expect(types.slice(-2)).toEqual(['confirming:confirming', 'succeeded:succeeded'])
  })

  it('makes the payment pass pending_expired to expired once the deadline has passed', () => {
    const { types } = told([
      ...[inMempool('0x1', full), dropped('0x1', 40)],
      clockAt(expiresAt + 1),
    ])
    expect(types.slice(-2)).toEqual(['pending_expired:pending_expired', 'expired:expired'])
    const late = told([
      clockAt(expiresAt + 1),
      inMempool('0x1', full, 1_000),
      dropped('0x1', 1_050),
    ])
    expect(late.types).toEqual([
      ...['expired:expired', 'pending:pending_detected'],
      ...['pending_expired:pending_expired', 'expired:expired'],
    ])
  })

  it('makes the payment pending_expired even if the drop is reported before the sighting', () => {
    const { payment, types } = told([dropped('0x1', 40), inMempool('0x1', full, 3)])
    expect(payment.status).toBe('pending_expired')
    expect(types.slice(-2)).toEqual(['pending:pending_detected', 'pending_expired:pending_expired'])
  })

  it('keeps an underpaid payment awaiting, with the reason transaction_dropped', () => {
    const { payment, types } = told([inMempool('0x1', 50_000_000n), dropped('0x1', 40)])
    expect(types).toEqual(['updated:awaiting', 'updated:awaiting'])
    expect(payment.reason).toBe('transaction_dropped')
  })

  it('no longer matters when another pending transaction covers the amount', () => {
    const { payment, types } = told([
      ...[inMempool('0x1', full), dropped('0x1', 40)],
      inMempool('0x2', full, 50),
    ])
    expect(types.at(-1)).toBe('pending:pending_detected')
    expect(payment.pending).toBe(full)
  })

  it('becomes overdue as well after a reorg has put it back into the pool', () => {
    const { payment } = told([
      included('0x1', full, blockAt(10), 1),
      reorged('0x1', blockAt(10), { view: 2, inMempool: true }),
    ])
    expect(overdue(payment, bornAt + 2_000 + ttlMs + 1)).toHaveLength(1)
    const gone = told([
      included('0x1', full, blockAt(10), 1),
      reorged('0x1', blockAt(10), { view: 2, inMempool: true }),
      dropped('0x1', 60),
    ])
    expect(gone.types.at(-1)).toBe('pending_expired:pending_expired')
  })

  it('becomes overdue together with its rival, and stays replaced when both are dropped', () => {
    const first = pendingIn('0xa', full, { contest: contestAt(7, 10n) })
    const cancel = rival('0xc', contestAt(7, 15n), 2)
    const { payment } = told([first, cancel])
    expect(overdue(payment, bornAt + 10 * ttlMs).map(({ txHash }) => txHash)).toEqual([
      '0xa',
      '0xc',
    ])
    const gone = told([first, cancel, dropped('0xa', 40), dropped('0xc', 41)])
    expect(gone.payment.status).toBe('awaiting')
    expect(gone.stages).toEqual(['replaced'])
    expect(gone.types).not.toContain('pending_expired:pending_expired')
  })
})

describe('a transaction hash that the payer claims', () => {
  it('is shown as claimed, without changing money, status or detectedAt', () => {
    const { payment, types, stages } = told([claimed('0x1', 3)])
    expect(types).toEqual(['updated:awaiting'])
    expect(stages).toEqual(['claimed'])
    expect([payment.pending, payment.received, payment.detectedAt]).toEqual([0n, 0n, null])
    expect(payment.flags).toEqual([])
    expect(isCancellable(payment)).toBe(true)
    expect(openClaims(payment).map(({ txHash }) => txHash)).toEqual(['0x1'])
  })

  it('counts when a node shows it, with that time as detectedAt and not the claim time', () => {
    const { payment, types, stages } = told([claimed('0x1', 3), inMempool('0x1', full, 9)])
    expect(types.at(-1)).toBe('pending:pending_detected')
    expect(stages).toEqual(['mempool'])
    expect(payment.detectedAt).toBe(bornAt + 18_000)
    expect(openClaims(payment)).toEqual([])
    const swapped = told([inMempool('0x1', full, 9), claimed('0x1', 3)])
    expect(swapped.payment.detectedAt).toBe(bornAt + 18_000)
  })

  it('does not make late money count as in time when it was claimed in time', () => {
    const late = { ...blockAt(2_000), minedAt: expiresAt + 60_000 }
    const { payment } = told([
      ...[claimed('0x1', 3), clockAt(expiresAt + 1)],
      ...[{ ...included('0x1', full, late, 2_000), at: expiresAt + 61_000 }, headAt(2_002, 2_001)],
    ])
    expect(payment.flags).toEqual(['late'])
  })

  it('is dropped after its time-out without making the payment pending_expired', () => {
    const { payment: open } = told([claimed('0x1', 3)])
    expect(overdue(open, bornAt + 6_000 + ttlMs + 1)).toHaveLength(1)
    const { payment, stages } = told([claimed('0x1', 3), dropped('0x1', 40)])
    expect(payment.status).toBe('awaiting')
    expect(stages).toEqual(['dropped'])
    expect(openClaims(payment)).toEqual([])
    // No node ever showed it, so no transaction was lost.
    expect(payment.reason).toBeNull()
  })
})

describe('the deadline of a payment', () => {
  it('moves to the end of the watch when a person decides to wait', () => {
    const part = included('0x1', 50_000_000n, blockAt(10), 1)
    const { payment, types } = told([part, decided('wait', bornAt + 30_000)])
    expect(types.at(-1)).toBe('resolved:awaiting')
    expect(nextDeadline(payment)).toBe(payment.terms.monitorUntil)
    const after = observeAll({ payment, events: [] }, [clockAt(expiresAt + 1)])
    expect(after.payment.status).toBe('awaiting')
    const end = observeAll(after, [clockAt(payment.terms.monitorUntil + 1)])
    expect(end.payment.status).toBe('expired')
  })

  it('is the end of the watch while the payment is confirming', () => {
    const { payment } = told([included('0x1', full, blockAt(10), 1)])
    expect(nextDeadline(payment)).toBe(payment.terms.monitorUntil)
  })
})
