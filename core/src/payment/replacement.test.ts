import { describe, expect, it } from 'vitest'
import {
  contestAt,
  includedIn,
  movedNothing,
  pendingIn,
  rival,
} from '../../../test/support/observations.ts'
import {
  blockAt,
  bornAt,
  clockAt,
  headAt,
  observeAll,
  opened,
  policy,
  reorged,
} from '../../../test/support/payments.ts'
import type { Observation } from './observation.ts'
import { transfersOf } from './transfer.ts'

const full = 150_000_000n
const first = pendingIn('0xa', full, { contest: contestAt(7, 10n) })
const speedUp = pendingIn('0xb', full, { contest: contestAt(7, 12n), view: 1 })
const cancel = rival('0xc', contestAt(7, 15n), 2)

const told = (observations: readonly Observation[]) => {
  const { payment, events } = observeAll(opened(), observations)
  const types = events.slice(1).map(({ type, data }) => `${type}:${data.status}`)
  const stages = Object.fromEntries(
    transfersOf(payment, policy).map(({ txHash, stage }) => [txHash, stage]),
  )
  return { payment, types, stages, last: events.at(-1)?.data }
}

/** All permutations of a few items. */
const orders = <Item>(items: readonly Item[]): Item[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, i) => orders(items.toSpliced(i, 1)).map((rest) => [item, ...rest]))

describe('a transaction that is replaced', () => {
  it('by another that still pays: the payment stays detected with the new hash', () => {
    const { payment, types, stages, last } = told([first, speedUp])
    expect(types).toEqual(['pending:pending_detected', 'replaced:pending_detected'])
    expect(last).toMatchObject({
      ...{ reason: 'replaced_still_pays', txHash: '0xb', replacedTxHash: '0xa' },
      ...{ status: 'pending_detected', pendingAmount: '150.00' },
    })
    expect(stages).toEqual({ '0xa': 'replaced', '0xb': 'mempool' })
    expect(payment.flags).toEqual(['replaced_seen'])
    expect(payment.reason).toBeNull()
    expect(payment.pending).toBe(full)
  })

  it('by another that pays elsewhere: the payment returns to awaiting', () => {
    const { payment, types, last } = told([first, cancel])
    expect(types).toEqual(['pending:pending_detected', 'replaced:awaiting'])
    expect(last).toMatchObject({
      ...{ reason: 'replaced_elsewhere', txHash: '0xc', replacedTxHash: '0xa', token: 'USDC' },
      ...{ previousStatus: 'pending_detected', pendingAmount: '0.00', chainId: 31337 },
    })
    expect(payment.reason).toBe('replaced_elsewhere')
    expect(payment.flags).toEqual(['replaced_seen'])
  })

  it('gives the same result in whatever order its rivals are seen', () => {
    for (const order of orders([first, speedUp, cancel])) {
      const { payment, stages } = told(order)
      expect(payment.status).toBe('awaiting')
      expect(payment.reason).toBe('replaced_elsewhere')
      expect(stages).toEqual({ '0xa': 'replaced', '0xb': 'replaced' })
    }
    for (const order of orders([first, speedUp, rival('0xc', contestAt(7, 11n), 2)])) {
      const { payment, stages } = told(order)
      expect(payment.status).toBe('pending_detected')
      expect(payment.pending).toBe(full)
      expect(stages).toEqual({ '0xa': 'replaced', '0xb': 'mempool' })
    }
  })

  it('stays pending with a rival of a lower bid, which a pool would not accept', () => {
    const { payment, stages } = told([first, rival('0xc', contestAt(7, 9n), 3)])
    expect(stages).toEqual({ '0xa': 'mempool' })
    expect(payment.status).toBe('pending_detected')
    expect(payment.flags).toEqual([])
  })

  it('counts after all when a block holds it: only an inclusion is final', () => {
    const { payment, stages } = told([
      ...[first, cancel],
      includedIn('0xa', full, { block: blockAt(10), view: 5, contest: contestAt(7, 10n) }),
      headAt(12, 6),
    ])
    expect(payment.status).toBe('succeeded')
    expect(payment.received).toBe(full)
    expect(stages).toEqual({ '0xa': 'included' })
    expect(payment.flags).toEqual([])
  })

  it('by another first seen in a block: replaced is emitted, then confirming', () => {
    const mined = includedIn('0xb', full, {
      block: blockAt(10),
      view: 3,
      contest: contestAt(7, 12n),
    })
    const { payment, types, stages } = told([first, mined])
    expect(types).toEqual([
      'pending:pending_detected',
      'replaced:pending_detected',
      'confirming:confirming',
    ])
    expect(stages).toEqual({ '0xa': 'replaced', '0xb': 'included' })
    expect([payment.received, payment.pending]).toEqual([full, 0n])
  })

  it('by another that is mined and pays elsewhere: nothing is pending any more', () => {
    const { payment } = told([
      ...[first, cancel],
      movedNothing('0xc', 'paid_elsewhere', { block: blockAt(10), view: 3 }),
    ])
    expect(payment.status).toBe('awaiting')
    expect(payment.pending).toBe(0n)
  })

  it('by an unseen winner, as with an EIP-7702 authorization: the payment returns to awaiting', () => {
    const used = movedNothing('0xa', 'replaced', { block: blockAt(10), view: 3 })
    const { payment, types, last, stages } = told([first, used])
    expect(types.at(-1)).toBe('replaced:awaiting')
    expect(last).toMatchObject({
      txHash: null,
      replacedTxHash: '0xa',
      reason: 'replaced_elsewhere',
    })
    expect(stages).toEqual({ '0xa': 'replaced' })
    expect(payment.flags).toEqual(['replaced_seen'])
  })

  it('by an unseen winner: every other transaction of the contest is replaced too', () => {
    const used = movedNothing('0xa', 'replaced', { block: blockAt(10), view: 3 })
    for (const order of orders([first, speedUp, used])) {
      const { payment, stages } = told(order)
      expect(stages).toEqual({ '0xa': 'replaced', '0xb': 'replaced' })
      expect([payment.status, payment.pending]).toEqual(['awaiting', 0n])
    }
  })

  it('lets the payment expire again if it came after the deadline', () => {
    const used = movedNothing('0xa', 'replaced', { block: blockAt(10), view: 3 })
    const { types } = told([clockAt(bornAt + 1_800_001), first, used])
    expect(types.slice(-2)).toEqual(['replaced:awaiting', 'expired:expired'])
  })

  it('is pending again when the block that ended its contest is reorged out', () => {
    const used = movedNothing('0xa', 'replaced', { block: blockAt(10), view: 3 })
    const { payment, stages } = told([
      ...[first, used],
      reorged('0xa', blockAt(10), { view: 4, inMempool: true }),
    ])
    expect(payment.status).toBe('pending_detected')
    expect(stages).toEqual({ '0xa': 'mempool' })
    expect(payment.flags).toEqual(['reorg_seen'])
  })

  it('counts once when two of one contest are reported as mined: the later view wins', () => {
    const one = includedIn('0xa', full, { block: blockAt(10), view: 3, contest: contestAt(7, 10n) })
    const other = includedIn('0xb', full, {
      block: blockAt(10, 'b'),
      view: 5,
      contest: contestAt(7, 12n),
    })
    for (const order of orders([first, one, other])) {
      const { payment, stages } = told(order)
      expect(payment.received).toBe(full)
      expect(stages).toEqual({ '0xa': 'replaced', '0xb': 'included' })
    }
  })

  it('does not compete with one of another nonce, sender or chain', () => {
    const others = [
      pendingIn('0xb', full, { contest: contestAt(8, 99n), view: 1 }),
      pendingIn('0xd', full, { contest: contestAt(7, 99n, '0xother'), view: 1 }),
      { ...rival('0xe', contestAt(7, 99n), 1), chain: 'base' } as Observation, // the spread of a union
    ]
    const { stages, payment } = told([first, ...others])
    expect(stages).toEqual({ '0xa': 'mempool', '0xb': 'mempool', '0xd': 'mempool' })
    expect(payment.pending).toBe(3n * full)
  })

  it('causes an event without a change of status when it paid only a part', () => {
    const part = pendingIn('0xa', 50_000_000n, { contest: contestAt(7, 10n) })
    expect(told([part, cancel]).types).toEqual(['updated:awaiting', 'replaced:awaiting'])
  })

  it('is not detected by the sighting of a rival alone', () => {
    const { payment } = observeAll(opened(), [rival('0xc', contestAt(7, 15n), 0)])
    expect(payment.detectedAt).toBeNull()
    expect(payment.flags).toEqual([])
  })
})
