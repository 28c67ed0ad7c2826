import { describe, expect, it } from 'vitest'
import {
  blockAt,
  bornAt,
  clockAt,
  contextAt,
  headAt,
  included,
  inMempool,
  observeAll,
  opened,
  payer,
  policy,
  reorged,
  reverted,
  transfer,
  usdc,
} from '../../../test/support/payments.ts'
import { nextDeadline } from './deadline.ts'
import { decide } from './decide.ts'
import type { Observation } from './observation.ts'
import { transfersOf } from './transfer.ts'

const full = 150_000_000n
const afterExpiry = bornAt + 1_800_001
const told = (observations: readonly Observation[], start = opened()) => {
  const { payment, events } = observeAll(start, observations)
  return { payment, events, types: events.map(({ type, data }) => `${type}:${data.status}`) }
}

describe('a payment that succeeds', () => {
  it('emits pending, one event per confirmation, succeeded and finalized', () => {
    const { types, events, payment } = told([
      inMempool('0x1', full),
      included('0x1', full, blockAt(10), 1),
      headAt(10, 1),
      headAt(11, 2),
      headAt(12, 3),
      headAt(20, 4, 12),
    ])
    expect(types).toEqual([
      'created:awaiting',
      'pending:pending_detected',
      'confirming:confirming',
      'confirming:confirming',
      'succeeded:succeeded',
      'finalized:succeeded',
    ])
    expect(events.map(({ data }) => data.sequence)).toEqual([1, 2, 3, 4, 5, 6])
    expect(events.map(({ data }) => data.confirmations)).toEqual([0, 0, 1, 2, 3, 11])
    expect(payment.finality).toBe('final')
    expect(payment.received).toBe(full)
  })

  it('notes on its pending event that a mempool signal is no confirmation', () => {
    const { events } = told([inMempool('0x1', full)])
    expect(events.at(-1)?.data.note).toMatch(/not a confirmation/)
    expect(events.at(-1)?.data.pendingAmount).toBe('150.00')
    expect(events.at(-1)?.data.receivedAmount).toBe('0.00')
  })

  it('goes from awaiting to confirming if no mempool ever showed it', () => {
    expect(told([included('0x1', full, blockAt(10), 1)]).types.at(-1)).toBe('confirming:confirming')
  })

  it('emits no event for repeated observations', () => {
    const once = [inMempool('0x1', full), included('0x1', full, blockAt(10), 1), headAt(11, 2)]
    const { types } = told([...once, ...once, ...once])
    expect(types).toHaveLength(4)
  })
})

describe('a payment whose money is lost', () => {
  it('returns from confirming to awaiting when its block is reorged out', () => {
    const { payment, types } = told([
      included('0x1', full, blockAt(10), 1),
      reorged('0x1', blockAt(10), { view: 2 }),
    ])
    expect(types.at(-1)).toBe('reorged:awaiting')
    expect(payment.reason).toBe('transaction_reorged')
    expect(payment.flags).toContain('reorg_seen')
    expect(payment.received).toBe(0n)
  })

  it('returns to pending_detected when the mempool holds its transaction again', () => {
    const { types, payment } = told([
      included('0x1', full, blockAt(10), 1),
      reorged('0x1', blockAt(10), { view: 2, inMempool: true }),
    ])
    expect(types.at(-1)).toBe('reorged:pending_detected')
    expect(payment.pending).toBe(full)
  })

  it('counts a transaction once when another block includes it again', () => {
    const { payment, types } = told([
      included('0x1', full, blockAt(10), 1),
      reorged('0x1', blockAt(10), { view: 2 }),
      { ...included('0x1', full, blockAt(11, 'b'), 2), transfers: [transfer('0x1', full, 0)] },
      headAt(13, 3),
    ])
    expect(payment.received).toBe(full)
    expect(transfersOf(payment, policy)).toHaveLength(1)
    expect(types.at(-1)).toBe('succeeded:succeeded')
  })

  it('does not count confirmations of a re-inclusion by the head of the old branch', () => {
    const { payment, types } = told([
      included('0x1', full, blockAt(10), 1),
      headAt(11, 2),
      reorged('0x1', blockAt(10), { view: 3 }),
      included('0x1', full, blockAt(9, 'b'), 3),
    ])
    // Three blocks deep under the old head 11; one under its own branch.
    expect(payment.status).toBe('confirming')
    expect(types).not.toContain('succeeded:succeeded')
    expect(transfersOf(payment, policy)[0]?.confirmations).toBe(1)
  })

  it('becomes investigation_required when its success is lost, and may succeed again', () => {
    const { payment, types } = told([
      included('0x1', full, blockAt(10), 1),
      headAt(12, 2),
      reorged('0x1', blockAt(10), { view: 3 }),
    ])
    expect(types.at(-1)).toBe('investigation_required:investigation_required')
    expect(payment.reason).toBe('reorged_after_success')
    expect(payment.settledAt).toBeNull()
    const again = told([included('0x1', full, blockAt(12, 'b'), 4), headAt(14, 5)], {
      payment,
      events: [],
    })
    expect(again.types.at(-1)).toBe('succeeded:succeeded')
  })

  it('returns to awaiting, not failed, when its transaction reverts', () => {
    const { payment, types } = told([inMempool('0x1', full), reverted('0x1', blockAt(10), 1)])
    expect(types.at(-1)).toBe('updated:awaiting')
    expect(payment.reason).toBe('transaction_reverted')
  })
})

describe('money that is not exactly the amount', () => {
  it('emits updated for a part, and stays awaiting with the flag underpaid', () => {
    const { payment, events } = told([included('0x1', 50_000_000n, blockAt(10), 1)])
    expect(payment.status).toBe('awaiting')
    expect(payment.flags).toEqual(['underpaid'])
    expect(events.at(-1)?.data.receivedAmount).toBe('50.00')
  })

  it('succeeds with three parts that add up to the amount', () => {
    const parts = [1, 2, 3].map((n) => included(`0x${n}`, 50_000_000n, blockAt(10 + n), n))
    const { payment } = told([...parts, headAt(15, 4)])
    expect(payment.status).toBe('succeeded')
    expect(payment.flags).toEqual(['multiple_transfers'])
  })

  it('flags a second full payment after a success and keeps the success', () => {
    const { payment, types } = told([
      included('0x1', full, blockAt(10), 1),
      headAt(12, 3),
      included('0x2', full, blockAt(13), 4),
    ])
    expect(types.at(-1)).toBe('updated:succeeded')
    expect(payment.flags).toEqual(['overpaid', 'multiple_transfers', 'duplicate_payment'])
  })

  it('counts two transfers of one transaction as two', () => {
    const both = [transfer('0x1', 75_000_000n, 0), transfer('0x1', 75_000_000n, 1)]
    const { payment } = told([{ ...included('0x1', 0n, blockAt(10), 1), transfers: both }])
    expect(payment.received).toBe(full)
  })

  it('credits the amount of the log, not the amount of the calldata', () => {
    const { payment } = told([
      inMempool('0x1', full),
      included('0x1', 149_000_000n, blockAt(10), 1),
    ])
    expect(payment.received).toBe(149_000_000n)
    expect(payment.status).toBe('awaiting')
  })

  it('ignores a token that is not accepted, whatever its symbol', () => {
    const fake = { ...transfer('0x1', full), token: usdc.replace('c', 'd') }
    const { payment } = told([{ ...included('0x1', full, blockAt(10), 1), transfers: [fake] }])
    expect(payment.received).toBe(0n)
    expect(payment.status).toBe('awaiting')
    expect(payment.flags).toEqual(['wrong_token'])
  })
})

describe('the deadline', () => {
  it('expires a payment once every accepted chain was read past it', () => {
    const { types, payment } = told([clockAt(afterExpiry)])
    expect(types.at(-1)).toBe('expired:expired')
    expect(nextDeadline(payment)).toBe(payment.terms.monitorUntil)
  })

  it('does not expire a payment while a chain was not read past it', () => {
    const { payment } = told([clockAt(afterExpiry, bornAt)])
    expect(payment.status).toBe('awaiting')
    expect(nextDeadline(payment)).toBe(payment.terms.expiresAt)
    const noChain: Observation = {
      kind: 'clock',
      source: 'clock',
      at: afterExpiry,
      scannedThrough: {},
    }
    expect(told([noChain]).payment.status).toBe('awaiting')
  })

  it('does not expire a payment whose money is pending', () => {
    const { payment } = told([inMempool('0x1', full), clockAt(afterExpiry)])
    expect(payment.status).toBe('pending_detected')
  })

  it('reopens an expired payment for late money, with the flag late', () => {
    const late = { ...blockAt(2_000), minedAt: afterExpiry + 60_000 }
    const { types, payment } = told([
      clockAt(afterExpiry),
      { ...included('0x1', full, late, 2), at: afterExpiry + 61_000 },
      headAt(2_002, 3),
    ])
    expect(types.slice(-3)).toEqual([
      'expired:expired',
      'confirming:confirming',
      'succeeded:succeeded',
    ])
    expect(payment.flags).toEqual(['late'])
  })

  it('does not flag money as late that was mined in time but read later', () => {
    const inTime = blockAt(10)
    const { payment } = told([{ ...included('0x1', full, inTime, 2), at: afterExpiry + 61_000 }])
    expect(payment.flags).toEqual([])
  })
})

describe('withdrawing a payment', () => {
  const withdrawn: Observation = {
    ...{ kind: 'withdrawn', source: 'merchant', at: bornAt + 5, reason: 'out of stock' },
  }

  it('cancels a payment without any money', () => {
    const { types, payment } = told([withdrawn])
    expect(types.at(-1)).toBe('cancelled:cancelled')
    expect(payment.reason).toBe('out of stock')
  })

  it('changes nothing once money was seen', () => {
    const { payment, events } = told([inMempool('0x1', 1n), withdrawn])
    expect(payment.status).toBe('awaiting')
    expect(events).toHaveLength(2)
  })

  it('leads to investigation_required when money comes later', () => {
    const { payment } = told([withdrawn, included('0x1', full, blockAt(10), 1)])
    expect(payment.status).toBe('investigation_required')
    expect(payment.reason).toBe('paid_after_cancel')
  })
})

it('leaves the payer address out of the public half of every event', () => {
  const { events } = told([inMempool('0x1', full), included('0x1', full, blockAt(10), 1)])
  for (const { data } of events) expect(JSON.stringify(data)).not.toContain(payer)
})

it('returns the same payment when an observation adds nothing', () => {
  const { payment } = opened()
  expect(decide(payment, [headAt(5, 1)], contextAt(bornAt)).payment).toBe(payment)
})

describe('money beyond the amount of a payment', () => {
  it('does not affect the confirmations of the transfer that covers the amount', () => {
    const { events } = told([
      included('0x1', full, blockAt(10), 1),
      headAt(10, 1),
      inMempool('0x2', 1_000_000n, 1),
      headAt(11, 2),
      included('0x2', 1_000_000n, blockAt(12), 3),
      headAt(12, 3),
    ])
    const story = events.slice(1).map(({ type, data }) => [type, data.txHash, data.confirmations])
    expect(story).toEqual([
      ['confirming', '0x1', 1],
      ['updated', '0x1', 1],
      ['confirming', '0x1', 2],
      ['updated', '0x1', 2],
      ['succeeded', '0x1', 3],
    ])
  })

  it('raises no flag while it is pending, and events name the mined transaction', () => {
    const { payment, events } = told([
      inMempool('0xslow', full),
      inMempool('0xfast', full),
      included('0xfast', full, blockAt(10), 1),
      headAt(12, 2),
    ])
    expect(events.at(-1)?.data).toMatchObject({ status: 'succeeded', txHash: '0xfast', flags: [] })
    expect(payment.received).toBe(full)
  })

  it('costs one comparison per transfer and observation, also with a hundred transfers', () => {
    // Counted, not timed: each judgement reads the address once per transfer.
    const start = opened()
    let looks = 0
    const [accept] = start.payment.terms.accept
    const counted = new Proxy(accept ?? {}, {
      get: (target, key) => {
        if (key === 'address') looks++
        return Reflect.get(target, key)
      },
    })
    Object.assign(start.payment.terms, { accept: [counted] })
    const dust = Array.from({ length: 100 }, (_, n) => included(`0x${n + 100}`, 1n, blockAt(10), 1))
    told(dust, start)
    expect(looks).toBeLessThanOrEqual((100 * 101) / 2 + 200)
  })
})
