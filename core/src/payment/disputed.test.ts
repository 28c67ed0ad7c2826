import { describe, expect, it } from 'vitest'
import {
  claimed,
  contestAt,
  decided,
  denied,
  includedIn,
  movedNothing,
  pendingIn,
} from '../../../test/support/observations.ts'
import {
  blockAt,
  bornAt,
  clockAt,
  contextAt,
  headAt,
  included,
  inMempool,
  opened,
  reorged,
} from '../../../test/support/payments.ts'
import { nextDeadline } from './deadline.ts'
import { decide } from './decide.ts'
import type { PaymentEvent } from './event.ts'
import { fold } from './fold.ts'
import type { HeadMoved, Observation } from './observation.ts'
import type { Payment } from './payment.ts'
import { projectionOf } from './payment-rows.ts'
import type { Policy } from './policy.ts'
import { isResolvable } from './resolve.ts'
import { transfersOf } from './transfer.ts'

const full = 150_000_000n
const rules: Policy = {
  version: 'two-1',
  chains: { local: { settled: 3, final: 'finalized', quorum: 2 } },
}
const { expiresAt, monitorUntil } = opened().payment.terms
const afterExpiry = expiresAt + 60_000
const afterWatch = monitorUntil + 60_000

const by = (source: string, seen: Observation): Observation => ({ ...seen, source }) as Observation // the same member
const head = (number: number, view: number, more: Partial<HeadMoved> = {}): Observation =>
  ({ ...headAt(number, view), witnesses: 2, ...more }) as Observation // the same member
const shown = included('0x1', full, blockAt(10), 1)
const other = by('rpc:two', shown)
const denies = (source: string, view: number, txHash = '0x1'): Observation =>
  by(source, denied(txHash, blockAt(10), view))
const clock = (at: number): Observation => clockAt(at)

/** Decides the observations one by one, and compares the payment with the fold of its events. */
function run(seen: readonly Observation[]): { payment: Payment; events: PaymentEvent[] } {
  let { payment, events } = opened()
  for (const observation of seen) {
    const at = Math.max(payment.head.at, observation.at)
    const decision = decide(payment, [observation], { ...contextAt(at), policy: rules })
    events = [...events, ...decision.events]
    payment = decision.payment
  }
  expect(fold(events, () => rules)).toEqual(payment)
  return { payment, events }
}

const stands = ({ payment }: { payment: Payment }) => [payment.status, payment.reason]
const told = ({ events }: { events: readonly PaymentEvent[] }) =>
  events.map(({ type, data }) => `${type}:${data.status}`)
const heads = (from: number, to: number): Observation[] =>
  Array.from({ length: to - from + 1 }, (_, i) => head(from + i, from + i))

describe('money that no source shows any more', () => {
  const gone = [shown, denies('rpc:one', 3)]

  it('stops counting at once: the payment returns to awaiting with transaction_denied', () => {
    const world = run(gone)
    expect(world.payment).toMatchObject({
      ...{ status: 'awaiting', reason: 'transaction_denied', received: 0n, flags: [] },
    })
    expect(told(world).slice(1)).toEqual(['confirming:confirming', 'updated:awaiting'])
    expect(world.events.at(-1)?.data).toMatchObject({ txHash: '0x1', receivedAmount: '0.00' })
    expect(transfersOf(world.payment, rules)[0]).toMatchObject({
      ...{ stage: 'denied', amount: full, block: { number: 10 }, confirmations: 0 },
      ...{ sources: [], deniedBy: ['rpc:one'], settled: false, disputed: false },
    })
  })

  it('stops counting only when every source that showed it denies it', () => {
    const torn = [shown, other, denies('rpc:one', 3)]
    expect(run(torn).payment).toMatchObject({ status: 'confirming', received: full })
    expect(run([...torn, denies('rpc:two', 4)]).payment).toMatchObject({
      ...{ status: 'awaiting', received: 0n },
    })
  })

  it('stops counting when its source reports a receipt that moved nothing', () => {
    const failed = movedNothing('0x1', 'reverted', { block: blockAt(10), view: 4 })
    const world = run([shown, failed])
    expect(stands(world)).toEqual(['awaiting', 'transaction_denied'])
    expect(told(world).at(-1)).toBe('updated:awaiting')
  })

  it('lets the payment expire once the clock has passed the deadline', () => {
    const late = run([...gone, clock(afterExpiry)])
    expect(stands(late)).toEqual(['expired', null])
    const before = run([shown, clock(afterExpiry), denies('rpc:one', 3)])
    expect(stands(before)).toEqual(['awaiting', 'transaction_denied'])
    // The deadline has passed, so the clock looks at the payment next.
    expect(nextDeadline(before.payment)).toBe(expiresAt)
    expect(stands(run([shown, denies('rpc:one', 3), clock(afterExpiry)]))).toEqual([
      'expired',
      null,
    ])
  })

  it('counts again when a source shows it again at a later view', () => {
    const again = [...gone, { ...shown, view: 4 }]
    expect(run(again).payment).toMatchObject({ status: 'confirming', reason: null, received: full })
    const both = run([...again, { ...shown, view: 5, source: 'rpc:two' }, head(30, 6)])
    expect(both.payment.status).toBe('succeeded')
  })

  it('does not count, in whatever order the observations arrive', () => {
    const straight = run([...gone, denies('rpc:two', 2), head(30, 6)])
    const turned = run([denies('rpc:two', 2), denies('rpc:one', 3), shown, head(30, 6)])
    const { received, status, reason } = straight.payment
    expect(turned.payment).toMatchObject({ received, status, reason })
  })

  it('does not affect the other transfers of the payment', () => {
    const part = included('0x2', 50_000_000n, blockAt(11), 2)
    const { payment } = run([shown, part, denies('rpc:one', 3)])
    expect(payment).toMatchObject({
      ...{ status: 'awaiting', received: 50_000_000n, flags: ['underpaid'] },
    })
  })

  it('does not replace a pending transaction of the same contest any more', () => {
    const [mine, forged] = [contestAt(7, 1n), contestAt(7, 9n)]
    const pending = pendingIn('0x2', full, { contest: mine, view: 1 })
    const lie = includedIn('0x1', full, { block: blockAt(10), view: 2, contest: forged })
    const { payment } = run([pending, lie, denies('rpc:one', 3)])
    expect(payment).toMatchObject({ status: 'pending_detected', pending: full })
  })

  it('is pending if a pool shows it after the denial, not if a pool showed it before', () => {
    const before = run([inMempool('0x1', full), ...gone])
    expect(before.payment).toMatchObject({ status: 'awaiting', pending: 0n })
    const later = run([...gone, inMempool('0x1', full, 4)])
    expect(later.payment).toMatchObject({ status: 'pending_detected', pending: full })
  })

  it('gets the stage reorged when its block is reorged', () => {
    const { payment } = run([...gone, reorged('0x1', blockAt(10), { view: 5 })])
    expect(transfersOf(payment, rules)[0]?.stage).toBe('reorged')
    expect(payment.reason).toBe('transaction_reorged')
  })

  it('revokes a success: a person may write it off, or it succeeds again once shown', () => {
    const paid = [shown, other, head(12, 2)]
    const lost = [...paid, denies('rpc:one', 3), denies('rpc:two', 3)]
    const world = run(lost)
    expect(world.payment).toMatchObject({
      ...{ status: 'investigation_required', reason: 'denied_after_success', received: 0n },
      finality: 'none',
    })
    const given = run([...lost, decided('dismiss', bornAt + 90_000)])
    expect(stands(given)).toEqual(['failed', 'written_off'])
    const back = ['rpc:one', 'rpc:two'].map((source) => ({ ...shown, source, view: 5 }))
    expect(run([...lost, ...back, head(13, 6)]).payment.status).toBe('succeeded')
  })

  it('is not stored as final, so that its transaction is still followed', () => {
    const { payment } = run([...gone, head(40, 6, { finalized: 30 })])
    const [row] = projectionOf(payment).transactions
    expect(row).toMatchObject({ final: false, paid: false })
  })
})

describe('money that one source shows and another denies', () => {
  const disputed = [shown, denies('rpc:two', 2)]
  const deep = [...disputed, ...heads(11, 14)]

  it('causes an event per block until it is deep enough, and no event after that', () => {
    const world = run(deep)
    expect(stands(world)).toEqual(['confirming', null])
    expect(world.payment.flags).toEqual(['sources_disagree'])
    const quiet = run([...deep, ...heads(15, 80)])
    expect(told(quiet)).toEqual(told(world))
    expect(world.events.at(-1)?.data).toMatchObject({ confirmations: 3, requiredConfirmations: 3 })
  })

  it('becomes investigation_required at the end of the watch, with one event', () => {
    const world = run([...deep, clock(afterWatch), clock(afterWatch + 30_000)])
    expect(stands(world)).toEqual(['investigation_required', 'sources_disagree'])
    expect(told(world).filter((line) => line.startsWith('investigation'))).toHaveLength(1)
    expect(run([...deep, clock(monitorUntil)]).payment.status).toBe('confirming')
  })

  it('stays confirming until the chain was read past the end of the watch', () => {
    const blind = run([...deep, clockAt(afterWatch, monitorUntil - 1)])
    expect(blind.payment.status).toBe('confirming')
  })

  it('has the end of the watch as its deadline, before and after it has passed', () => {
    expect(nextDeadline(run(deep).payment)).toBe(monitorUntil)
    expect(nextDeadline(run([...deep, clock(afterWatch)]).payment)).toBe(monitorUntil)
    expect(projectionOf(run(deep).payment).dueAt).toBe(monitorUntil)
  })

  it('needs no person if enough other money settled or still waits for blocks', () => {
    const more = included('0x2', full, blockAt(12), 3)
    const shallow = run([...disputed, more, head(13, 4), clock(afterWatch)])
    expect(shallow.payment.status).toBe('confirming')
    const paid = run([...disputed, more, by('rpc:two', more), head(20, 4), clock(afterWatch)])
    expect(paid.payment.status).toBe('succeeded')
  })

  it('goes to a person even without a denial if too few sources showed it in time', () => {
    const mute = run([shown, head(30, 2), clock(afterWatch)])
    expect(stands(mute)).toEqual(['investigation_required', 'sources_disagree'])
    expect(mute.payment.flags).toEqual([])
  })

  it('settles after the watch without a person once the sources agree', () => {
    const stuck = [...deep, clock(afterWatch)]
    const agreed = run([...stuck, { ...shown, source: 'rpc:two', view: 90 }, head(90, 91)])
    expect(stands(agreed)).toEqual(['succeeded', null])
  })

  it('expires after the watch without a person once no source shows it', () => {
    const world = run([...deep, clock(afterWatch), denies('rpc:one', 90)])
    expect(stands(world)).toEqual(['expired', null])
    expect(told(world).slice(-2)).toEqual(['resolved:awaiting', 'expired:expired'])
  })

  const at = afterWatch + 60_000
  it.each([
    ['accept', ['succeeded', null], ['succeeded', null]],
    ['wait', ['investigation_required', 'sources_disagree'], ['succeeded', null]],
    ['refund_noted', ['expired', null], ['expired', null]],
    ['dismiss', ['expired', null], ['expired', null]],
  ] as const)(
    'is decided by %s, and later agreement of the sources does not undo that',
    (action, now, later) => {
      const resolved = [...deep, clock(afterWatch), decided(action, at)]
      expect(stands(run(resolved))).toEqual(now)
      const shows = { ...shown, source: 'rpc:two', view: 90 }
      expect(stands(run([...resolved, shows, head(90, 91)]))).toEqual(later)
      const denial = run([...resolved, denies('rpc:one', 90)])
      expect(stands(denial)).toEqual([action === 'accept' ? 'succeeded' : 'expired', null])
    },
  )

  it('can be dismissed before the watch ends, unlike money that only waits for blocks', () => {
    expect(isResolvable(run(disputed).payment, 'dismiss')).toBe(true)
    expect(isResolvable(run([shown]).payment, 'dismiss')).toBe(false)
    const world = run([...disputed, decided('dismiss', bornAt + 90_000)])
    expect(stands(world)).toEqual(['awaiting', null])
    expect(told(world).at(-1)).toBe('resolved:awaiting')
    expect(transfersOf(world.payment, rules)[0]?.ignored).toBe('set_aside')
  })

  it('is not stored as final at any depth, so that it is followed after a restart', () => {
    const part = included('0x1', 50_000_000n, blockAt(10), 1)
    const { payment } = run([part, denies('rpc:two', 2), head(40, 3, { finalized: 30 })])
    expect(projectionOf(payment).transactions[0]).toMatchObject({ final: false, paid: true })
  })
})

it('a denial does not change a claim that no node has shown', () => {
  const { payment } = run([claimed('0x1', 1), denies('rpc:two', 2)])
  expect([payment.status, transfersOf(payment, rules)[0]?.stage]).toEqual(['awaiting', 'claimed'])
})
