import { describe, expect, it } from 'vitest'
import { decided, dropped } from '../../../test/support/observations.ts'
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
  transfer,
} from '../../../test/support/payments.ts'
import { fold } from './fold.ts'
import { type Observation, type ResolutionAction, resolutionActions } from './observation.ts'
import { paymentFromJson, paymentToJson } from './payment-json.ts'
import { isResolvable } from './resolve.ts'
import { isEdge, type Status, statuses } from './status-model.ts'
import { transfersOf } from './transfer.ts'

const full = 150_000_000n
const over = clockAt(bornAt + 1_800_001)
const part = included('0x1', 50_000_000n, blockAt(10), 1)
const whole = included('0x1', full, blockAt(10), 1)
const lost = reorged('0x1', blockAt(10), { view: 5 })
const withdrawn: Observation = {
  ...{ kind: 'withdrawn', source: 'merchant', at: bornAt + 5, reason: 'out of stock' },
}
const wrong: Observation = {
  ...included('0x9', full, blockAt(10), 1),
  transfers: [{ ...transfer('0x9', full), token: `0x${'dd'.repeat(20)}` }],
}
/** Later than every observation in this file, and before the deadline. */
const at = bornAt + 1_700_000

/** How each situation arises, and the result of each decision; `no`: there is nothing to decide. */
const places: Readonly<
  Record<string, readonly [Status, readonly Observation[], Record<ResolutionAction, string>]>
> = {
  nothing: ['awaiting', [], { accept: 'no', wait: 'no', refund_noted: 'no', dismiss: 'no' }],
  'a part': [
    'awaiting',
    [part, headAt(12, 2)],
    {
      accept: 'succeeded:succeeded',
      wait: 'resolved:awaiting',
      refund_noted: 'resolved:awaiting',
      dismiss: 'resolved:awaiting',
    },
  ],
  'a wrong token': [
    'awaiting',
    [wrong],
    {
      accept: 'succeeded:succeeded',
      wait: 'resolved:awaiting',
      refund_noted: 'resolved:awaiting',
      dismiss: 'resolved:awaiting',
    },
  ],
  'money in the pool': [
    'pending_detected',
    [inMempool('0x1', full)],
    { accept: 'no', wait: 'no', refund_noted: 'no', dismiss: 'no' },
  ],
  'money in the pool and a wrong token': [
    'pending_detected',
    [inMempool('0x1', full), wrong],
    {
      accept: 'succeeded:succeeded',
      wait: 'resolved:pending_detected',
      refund_noted: 'resolved:pending_detected',
      dismiss: 'resolved:pending_detected',
    },
  ],
  'money that was dropped': [
    'pending_expired',
    [inMempool('0x1', full), dropped('0x1', 40)],
    { accept: 'no', wait: 'updated:awaiting', refund_noted: 'no', dismiss: 'no' },
  ],
  'money in a block': [
    'confirming',
    [whole],
    {
      accept: 'succeeded:succeeded',
      wait: 'resolved:confirming',
      refund_noted: 'no',
      dismiss: 'no',
    },
  ],
  'a success': [
    'succeeded',
    [whole, headAt(12, 2)],
    {
      accept: 'resolved:succeeded',
      wait: 'resolved:succeeded',
      refund_noted: 'resolved:succeeded',
      dismiss: 'resolved:succeeded',
    },
  ],
  'an end with nothing': [
    'expired',
    [over],
    { accept: 'no', wait: 'no', refund_noted: 'no', dismiss: 'no' },
  ],
  'an end with a part': [
    'expired',
    [part, headAt(12, 2), over],
    {
      accept: 'investigation_required:investigation_required succeeded:succeeded',
      wait: 'investigation_required:investigation_required resolved:awaiting',
      refund_noted: 'resolved:expired',
      dismiss: 'resolved:expired',
    },
  ],
  'a withdrawal': [
    'cancelled',
    [withdrawn],
    { accept: 'no', wait: 'no', refund_noted: 'no', dismiss: 'no' },
  ],
  'a withdrawal and a wrong token': [
    'cancelled',
    [withdrawn, wrong],
    {
      accept: 'no',
      wait: 'no',
      refund_noted: 'resolved:cancelled',
      dismiss: 'resolved:cancelled',
    },
  ],
  'money after a withdrawal': [
    'investigation_required',
    [withdrawn, whole],
    {
      accept: 'succeeded:succeeded',
      wait: 'resolved:investigation_required',
      refund_noted: 'resolved:awaiting cancelled:cancelled',
      dismiss: 'resolved:awaiting cancelled:cancelled',
    },
  ],
  'money in the pool after a withdrawal': [
    'investigation_required',
    [withdrawn, inMempool('0x1', full)],
    {
      accept: 'no',
      wait: 'resolved:investigation_required',
      refund_noted: 'resolved:awaiting cancelled:cancelled',
      dismiss: 'resolved:awaiting cancelled:cancelled',
    },
  ],
  'a success that was lost': [
    'investigation_required',
    [whole, headAt(12, 2), lost],
    {
      accept: 'succeeded:succeeded',
      wait: 'resolved:investigation_required',
      refund_noted: 'failed:failed',
      dismiss: 'failed:failed',
    },
  ],
  'a success that was given up': [
    'failed',
    [whole, headAt(12, 2), lost, decided('dismiss', at - 1)],
    { accept: 'no', wait: 'no', refund_noted: 'no', dismiss: 'no' },
  ],
  'money for a success that was given up': [
    'investigation_required',
    [
      ...[whole, headAt(12, 2), lost, decided('dismiss', at - 1)],
      included('0x1', full, blockAt(14, 'b'), 9),
    ],
    {
      accept: 'succeeded:succeeded',
      wait: 'resolved:investigation_required',
      refund_noted: 'failed:failed',
      dismiss: 'failed:failed',
    },
  ],
  'money after the watch': [
    'investigation_required',
    [
      over,
      {
        ...included('0x1', full, { ...blockAt(10), minedAt: bornAt + 1_800_000 + 86_400_001 }, 1),
        at: bornAt + 1_800_000 + 86_401_000,
      },
      headAt(12, 2),
    ],
    {
      accept: 'succeeded:succeeded',
      wait: 'resolved:investigation_required',
      refund_noted: 'resolved:awaiting expired:expired',
      dismiss: 'resolved:awaiting expired:expired',
    },
  ],
}

const rows = Object.entries(places).flatMap(([place, [status, seen, outcomes]]) =>
  resolutionActions.map((action) => ({ place, status, seen, action, outcome: outcomes[action] })),
)

describe('the decision of a person', () => {
  it.each(rows)('on $place: $action → $outcome', ({ status, seen, action, outcome }) => {
    const before = observeAll(opened(), seen)
    expect(before.payment.status).toBe(status)
    expect(isResolvable(before.payment, action)).toBe(outcome !== 'no')
    const { payment, events } = observeAll(before, [decided(action, at)])
    const told = events.slice(before.events.length)
    if (outcome === 'no') {
      expect(told).toEqual([])
      expect(payment).toBe(before.payment)
      return
    }
    expect(told.map(({ type, data }) => `${type}:${data.status}`).join(' ')).toBe(outcome)
    told.reduce((from, { type, data }) => {
      expect(isEdge(from, type, data.status)).toBe(true)
      return data.status
    }, status)
    expect(payment.flags).toContain('manually_marked')
    expect(told.at(-1)?.evidence.facts[0]).toMatchObject({
      ...{ kind: 'resolved', actor: 'key_1', action, reason: 'as agreed' },
      ...{ received: before.payment.received, on: { status } },
    })
    const json = paymentFromJson(JSON.parse(JSON.stringify(paymentToJson(payment))))
    expect(json).toEqual(fold(events, () => policy))
    expect(json).toEqual(payment)
  })

  it('is tested in every status', () => {
    const reached = new Set(Object.values(places).map(([status]) => status))
    expect(statuses.filter((status) => !reached.has(status))).toEqual([])
  })

  it('causes one event even if it is sent twice', () => {
    const { events } = observeAll(opened(), [part, decided('wait', at), decided('wait', at)])
    expect(events.filter(({ type }) => type === 'resolved')).toHaveLength(1)
  })
})

const after = (...seen: readonly Observation[]) => observeAll(opened(), seen).payment

describe('money that a person accepted', () => {
  it('keeps its amount and the flag underpaid, and becomes final', () => {
    const payment = after(part, headAt(12, 2, 11), decided('accept', at))
    expect(payment.flags).toEqual(['underpaid', 'manually_marked'])
    expect([payment.received, payment.finality]).toEqual([50_000_000n, 'final'])
    expect(payment.settledAt).not.toBeNull()
  })

  it('is no longer accepted when its block is lost, and is again when it is mined again', () => {
    const accepted = [part, headAt(12, 2), decided('accept', at)]
    const gone = after(...accepted, lost)
    expect([gone.status, gone.reason]).toEqual(['investigation_required', 'reorged_after_success'])
    const back = after(...accepted, lost, included('0x1', 50_000_000n, blockAt(11, 'b'), 6))
    expect(back.status).toBe('succeeded')
  })

  it('is no longer accepted when it was in a wrong token and a reorg removes its block', () => {
    const payment = after(wrong, decided('accept', at), reorged('0x9', blockAt(10), { view: 5 }))
    expect(payment.status).toBe('investigation_required')
  })

  it('is no longer accepted when a reorg removes one of two transfers in a wrong token', () => {
    const other = { ...wrong, txHash: '0x8' } as Observation // the spread of a union
    const payment = after(
      ...[wrong, other, decided('accept', at)],
      reorged('0x8', blockAt(10), { view: 5 }),
    )
    expect(payment.status).toBe('investigation_required')
  })

  it('is no longer accepted when its transaction moves less in another block', () => {
    const payment = after(
      ...[part, headAt(12, 2), decided('accept', at), lost],
      included('0x1', 49_999_999n, blockAt(11, 'b'), 6),
    )
    // Both blocks hold the same transaction; the later one counts.
    expect(payment.received).toBe(49_999_999n)
    expect(payment.status).toBe('investigation_required')
  })

  it('still needs depth when the acceptance was only a note on a success', () => {
    const noted = [whole, headAt(12, 2), decided('accept', at), lost]
    const back = included('0x1', full, blockAt(12, 'b'), 6)
    expect(after(...noted, back).status).toBe('investigation_required')
    expect(after(...noted, back, headAt(14, 7)).status).toBe('succeeded')
  })

  it('is no longer accepted after a later decision to dismiss it', () => {
    const accepted = [part, headAt(12, 2), decided('accept', at), lost]
    const payment = after(
      ...[...accepted, decided('dismiss', at + 1)],
      included('0x1', 50_000_000n, blockAt(11, 'b'), 6),
    )
    expect([payment.status, payment.reason]).toEqual([
      ...['investigation_required', 'paid_after_failure'],
    ])
  })
})

describe('money that a person set aside', () => {
  it('no longer counts, raises no flag, and is shown as set_aside', () => {
    const payment = after(part, wrong, decided('refund_noted', at))
    expect(payment.flags).toEqual(['manually_marked'])
    expect(payment.received).toBe(0n)
    expect(transfersOf(payment, policy).map(({ ignored }) => ignored)).toEqual([
      ...['set_aside', 'set_aside'],
    ])
  })

  it('leaves nothing to resolve', () => {
    const payment = after(part, decided('dismiss', at))
    expect(isResolvable(payment)).toBe(false)
    const again = observeAll({ payment, events: [] }, [decided('dismiss', at + 1)])
    expect(again.events).toEqual([])
  })

  it('is only the money known at that time: later money counts', () => {
    const late = { ...included('0x2', full, blockAt(11), 2), at: at - 60_000 }
    const payment = after(part, decided('dismiss', at), late, headAt(14, 3))
    expect([payment.status, payment.received]).toEqual(['succeeded', full])
  })

  it('stays set aside when another block includes it again', () => {
    const payment = after(
      ...[withdrawn, whole, decided('dismiss', at), lost],
      included('0x1', full, blockAt(11, 'b'), 6),
    )
    expect([payment.status, payment.received]).toEqual(['cancelled', 0n])
  })

  it('does not prevent investigation_required for money that comes later', () => {
    const payment = after(
      ...[withdrawn, whole, decided('refund_noted', at)],
      included('0x2', 1n, blockAt(20), 9),
    )
    expect([payment.status, payment.reason]).toEqual([
      'investigation_required',
      'paid_after_cancel',
    ])
  })

  it('does not change a success, on which it is only a note', () => {
    const twice = included('0x2', full, blockAt(11), 2)
    const payment = after(whole, twice, headAt(14, 3), decided('refund_noted', at))
    expect([payment.status, payment.received]).toEqual(['succeeded', 2n * full])
    expect(payment.flags).toContain('duplicate_payment')
  })
})
