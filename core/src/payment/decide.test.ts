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

describe('the way of a payment that goes well', () => {
  it('passes detected, one event per confirmation, succeeded and finalized', () => {
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

  it('says that a mempool signal is no confirmation', () => {
    const { events } = told([inMempool('0x1', full)])
    expect(events.at(-1)?.data.note).toMatch(/not a confirmation/)
    expect(events.at(-1)?.data.pendingAmount).toBe('150.00')
    expect(events.at(-1)?.data.receivedAmount).toBe('0.00')
  })

  it('goes from awaiting to confirming when no mempool ever showed it', () => {
    expect(told([included('0x1', full, blockAt(10), 1)]).types.at(-1)).toBe('confirming:confirming')
  })

  it('says nothing twice', () => {
    const once = [inMempool('0x1', full), included('0x1', full, blockAt(10), 1), headAt(11, 2)]
    const { types } = told([...once, ...once, ...once])
    expect(types).toHaveLength(4)
  })
})

describe('the ways back', () => {
  it('takes a confirming payment back to awaiting when its block is reorged out', () => {
    const { payment, types } = told([
      included('0x1', full, blockAt(10), 1),
      reorged('0x1', blockAt(10), { view: 2 }),
    ])
    expect(types.at(-1)).toBe('reorged:awaiting')
    expect(payment.reason).toBe('transaction_reorged')
    expect(payment.flags).toContain('reorg_seen')
    expect(payment.received).toBe(0n)
  })

  it('takes it back to detected when the mempool holds it again', () => {
    const { types, payment } = told([
      included('0x1', full, blockAt(10), 1),
      reorged('0x1', blockAt(10), { view: 2, inMempool: true }),
    ])
    expect(types.at(-1)).toBe('reorged:pending_detected')
    expect(payment.pending).toBe(full)
  })

  it('pitfall 5: counts a transaction once when another block includes it again', () => {
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

  it('does not measure a re-inclusion by the head of the branch that was left', () => {
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

  it('never goes back from success in silence', () => {
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

  it('pitfall 11: a reverted transaction moved nothing and is no failure', () => {
    const { payment, types } = told([inMempool('0x1', full), reverted('0x1', blockAt(10), 1)])
    expect(types.at(-1)).toBe('updated:awaiting')
    expect(payment.reason).toBe('transaction_reverted')
  })
})

describe('money that does not fit', () => {
  it('tells partial money as an update and asks for the rest', () => {
    const { payment, events } = told([included('0x1', 50_000_000n, blockAt(10), 1)])
    expect(payment.status).toBe('awaiting')
    expect(payment.flags).toEqual(['underpaid'])
    expect(events.at(-1)?.data.receivedAmount).toBe('50.00')
  })

  it('adds up three partial payments', () => {
    const parts = [1, 2, 3].map((n) => included(`0x${n}`, 50_000_000n, blockAt(10 + n), n))
    const { payment } = told([...parts, headAt(15, 4)])
    expect(payment.status).toBe('succeeded')
    expect(payment.flags).toEqual(['multiple_transfers'])
  })

  it('flags a second full payment after success and keeps the success', () => {
    const { payment, types } = told([
      included('0x1', full, blockAt(10), 1),
      headAt(12, 3),
      included('0x2', full, blockAt(13), 4),
    ])
    expect(types.at(-1)).toBe('updated:succeeded')
    expect(payment.flags).toEqual(['overpaid', 'multiple_transfers', 'duplicate_payment'])
  })

  it('pitfall 2: counts two transfers of one transaction as two', () => {
    const both = [transfer('0x1', 75_000_000n, 0), transfer('0x1', 75_000_000n, 1)]
    const { payment } = told([{ ...included('0x1', 0n, blockAt(10), 1), transfers: both }])
    expect(payment.received).toBe(full)
  })

  it('pitfall 13: credits what the log says arrived, not what the calldata promised', () => {
    const { payment } = told([
      inMempool('0x1', full),
      included('0x1', 149_000_000n, blockAt(10), 1),
    ])
    expect(payment.received).toBe(149_000_000n)
    expect(payment.status).toBe('awaiting')
  })

  it('pitfall 12: ignores a token it was not told to accept, whatever its symbol', () => {
    const fake = { ...transfer('0x1', full), token: usdc.replace('c', 'd') }
    const { payment } = told([{ ...included('0x1', full, blockAt(10), 1), transfers: [fake] }])
    expect(payment.received).toBe(0n)
    expect(payment.status).toBe('awaiting')
    expect(payment.flags).toEqual(['wrong_token'])
  })
})

describe('time', () => {
  it('expires when time is over and every accepted chain was read past it', () => {
    const { types, payment } = told([clockAt(afterExpiry)])
    expect(types.at(-1)).toBe('expired:expired')
    expect(nextDeadline(payment)).toBe(payment.terms.monitorUntil)
  })

  it('never expires blind', () => {
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

  it('stops the countdown once money is seen', () => {
    const { payment } = told([inMempool('0x1', full), clockAt(afterExpiry)])
    expect(payment.status).toBe('pending_detected')
  })

  it('reopens for late money and says that it is late', () => {
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

  it('does not call a payer late because we were away', () => {
    const inTime = blockAt(10)
    const { payment } = told([{ ...included('0x1', full, inTime, 2), at: afterExpiry + 61_000 }])
    expect(payment.flags).toEqual([])
  })
})

describe('withdrawing', () => {
  const withdrawn: Observation = {
    ...{ kind: 'withdrawn', source: 'merchant', at: bornAt + 5, reason: 'out of stock' },
  }

  it('cancels a request nobody has paid', () => {
    const { types, payment } = told([withdrawn])
    expect(types.at(-1)).toBe('cancelled:cancelled')
    expect(payment.reason).toBe('out of stock')
  })

  it('changes nothing once money was seen', () => {
    const { payment, events } = told([inMempool('0x1', 1n), withdrawn])
    expect(payment.status).toBe('awaiting')
    expect(events).toHaveLength(2)
  })

  it('asks a person to look when money comes after it', () => {
    const { payment } = told([withdrawn, included('0x1', full, blockAt(10), 1)])
    expect(payment.status).toBe('investigation_required')
    expect(payment.reason).toBe('paid_after_cancel')
  })
})

it('never shows the payer in the public half of an event', () => {
  const { events } = told([inMempool('0x1', full), included('0x1', full, blockAt(10), 1)])
  for (const { data } of events) expect(JSON.stringify(data)).not.toContain(payer)
})

it('leaves a payment untouched that an observation says nothing new of', () => {
  const { payment } = opened()
  expect(decide(payment, [headAt(5, 1)], contextAt(bornAt)).payment).toBe(payment)
})

describe('money beside the payment', () => {
  it('measures confirmations by what covers the amount, not by what comes on top', () => {
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

  it('names what was mined, and raises no flag, when a faster twin of a pending transaction wins', () => {
    const { payment, events } = told([
      inMempool('0xslow', full),
      inMempool('0xfast', full),
      included('0xfast', full, blockAt(10), 1),
      headAt(12, 2),
    ])
    expect(events.at(-1)?.data).toMatchObject({ status: 'succeeded', txHash: '0xfast', flags: [] })
    expect(payment.received).toBe(full)
  })

  it('costs one look at each transfer per observation, however many were sprinkled on it', () => {
    // Counted, not timed: every judgement reads the address it compares with once per transfer.
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
