import { describe, expect, it } from 'vitest'
import { denied, movedNothing } from '../../../test/support/observations.ts'
import {
  blockAt,
  bornAt,
  contextAt,
  headAt,
  included,
  opened,
  reorged,
} from '../../../test/support/payments.ts'
import { decide } from './decide.ts'
import type { PaymentEvent } from './event.ts'
import { fold } from './fold.ts'
import type { Denied, HeadMoved, Included, MovedNothing, Observation } from './observation.ts'
import type { Payment } from './payment.ts'
import { type ChainPolicy, type Policy, requiredFor } from './policy.ts'
import { transfersOf } from './transfer.ts'

const full = 150_000_000n
const usd = (amount: bigint) => ({ amount, decimals: 6 })

const tiered: ChainPolicy = {
  ...{ settled: 'safe', final: 'finalized', quorum: 1 },
  tiers: {
    USDC: [
      { upTo: '100', settled: 1 },
      { upTo: '1000.50', settled: 12 },
      { upTo: null, settled: 'finalized' },
    ],
    '*': [{ upTo: '0.5', settled: 2 }],
  },
}

describe('the required level of a payment', () => {
  it.each([
    ['USDC', usd(1n), 1],
    ['USDC', usd(100_000_000n), 1],
    ['USDC', usd(100_000_001n), 12],
    ['USDC', usd(1_000_500_000n), 12],
    ['USDC', usd(1_000_500_001n), 'finalized'],
    ['USDC', { amount: 100n, decimals: 0 }, 1],
    ['USDC', { amount: 1_001n, decimals: 0 }, 'finalized'],
    ['ETH', { amount: 5n * 10n ** 17n, decimals: 18 }, 2],
    ['ETH', { amount: 5n * 10n ** 17n + 1n, decimals: 18 }, 'safe'],
    [null, usd(1n), 2],
  ] as const)('in %s for %o is %s', (asset, of, settled) => {
    expect(requiredFor(tiered, asset, of).settled).toBe(settled)
  })

  it('is the level of the chain unless a tier applies, and then it names the tier', () => {
    const plain: ChainPolicy = { settled: 3, final: 'finalized', quorum: 1 }
    expect(requiredFor(plain, 'USDC', usd(1n))).toEqual({ settled: 3, tier: null })
    expect(requiredFor(tiered, 'USDC', usd(1n)).tier).toEqual({ upTo: '100', settled: 1 })
  })
})

const policyOf = (local: Partial<ChainPolicy>): Policy => ({
  version: 'test-2',
  chains: { local: { settled: 3, final: 'finalized', quorum: 2, ...local } },
})
const head = (number: number, view: number, more: Partial<HeadMoved> = {}): Observation =>
  ({ ...headAt(number, view), ...more }) as Observation // the spread of a union keeps its member
const by = <Seen extends Included | Denied | MovedNothing>(source: string, seen: Seen): Seen => ({
  ...seen,
  source,
})

function run(
  policy: Policy,
  seen: readonly Observation[],
): { payment: Payment; events: PaymentEvent[] } {
  let { payment, events } = opened()
  for (const observation of seen) {
    const decision = decide(payment, [observation], { ...contextAt(observation.at), policy })
    events = [...events, ...decision.events]
    payment = decision.payment
  }
  const folded = fold(events, (version) => (version === policy.version ? policy : policyOf({})))
  expect(folded).toEqual(payment)
  return { payment, events }
}

describe('a tier', () => {
  it('is chosen by the amount of the payment, not by the received amount', () => {
    const rules = policyOf({ quorum: 1, tiers: { USDC: [{ upTo: '150', settled: 1 }] } })
    const { payment } = run(rules, [included('0x1', full + 50_000_000n, blockAt(10), 1)])
    expect(payment.status).toBe('succeeded')
    expect(transfersOf(payment, rules)[0]?.requiredConfirmations).toBe(1)
  })

  it('can require a tag, and then there is no number of confirmations', () => {
    const rules = policyOf({ quorum: 1, tiers: { '*': [{ upTo: null, settled: 'safe' }] } })
    const first = included('0x1', full, blockAt(10), 1)
    const deep = run(rules, [first, head(40, 2)])
    expect(deep.payment.status).toBe('confirming')
    expect(transfersOf(deep.payment, rules)[0]?.requiredConfirmations).toBeNull()
    expect(run(rules, [first, head(41, 2, { safe: 10 })]).payment.status).toBe('succeeded')
  })
})

describe('the quorum', () => {
  const rules = policyOf({})
  const first = included('0x1', full, blockAt(10), 1)

  it('delays a payment while enough providers are up', () => {
    const alone = run(rules, [first, head(12, 2, { witnesses: 2 })])
    expect(alone.payment.status).toBe('confirming')
    const both = run(rules, [first, by('rpc:two', first), head(12, 2, { witnesses: 2 })])
    expect(both.payment.status).toBe('succeeded')
    expect(both.payment.flags).toEqual([])
  })

  it('delays a payment until a head reports how many providers are up', () => {
    const shallow = policyOf({ tiers: { USDC: [{ upTo: null, settled: 1 }] } })
    // A step reports its blocks first and its head after them.
    expect(run(shallow, [first]).payment.status).toBe('confirming')
    const stale = head(9, 0, { witnesses: 1 })
    expect(run(shallow, [stale, first]).payment.status).toBe('confirming')
    expect(run(shallow, [first, head(10, 1, { witnesses: 2 })]).payment.status).toBe('confirming')
    const alone = run(shallow, [first, head(10, 1, { witnesses: 1 })])
    expect(alone.payment).toMatchObject({ status: 'succeeded', flags: ['single_source'] })
  })

  it('delays no payment if no other provider is up, and sets the flag single_source', () => {
    const { payment } = run(rules, [first, head(12, 2, { witnesses: 1 })])
    expect(payment.status).toBe('succeeded')
    expect(payment.flags).toEqual(['single_source'])
  })

  it('is met by a second provider that shows a deep block later', () => {
    const { payment, events } = run(rules, [
      ...[first, head(20, 2, { witnesses: 2 })],
      by('rpc:two', first),
      head(21, 3, { witnesses: 2 }),
    ])
    expect(payment.status).toBe('succeeded')
    expect(events.map(({ type }) => type)).toEqual([
      'created',
      'confirming',
      'confirming',
      'succeeded',
    ])
  })

  it('does not revoke a success when a second provider comes up later', () => {
    const { payment } = run(rules, [
      ...[first, head(12, 2, { witnesses: 1 })],
      head(13, 3, { witnesses: 2 }),
    ])
    expect(payment.status).toBe('succeeded')
    expect(payment.flags).toEqual(['single_source'])
  })

  it('does not revoke a success when the second provider goes down', () => {
    const { payment } = run(rules, [
      ...[first, by('rpc:two', first), head(12, 2, { witnesses: 2 })],
      head(13, 3, { witnesses: 1 }),
    ])
    expect([payment.status, payment.flags]).toEqual(['succeeded', []])
  })
})

describe('providers that contradict each other', () => {
  const rules = policyOf({ quorum: 1 })
  const first = included('0x1', full, blockAt(10), 1)

  it('settle nothing, set a flag, and settle it when they agree again', () => {
    const held = run(rules, [first, head(30, 2, { disagree: true })])
    expect(held.payment.status).toBe('confirming')
    expect(held.payment.flags).toEqual(['sources_disagree'])
    const agreed = run(rules, [...[first, head(30, 2, { disagree: true })], head(31, 3)])
    expect([agreed.payment.status, agreed.payment.flags]).toEqual(['succeeded', []])
  })

  it('do not revoke a success', () => {
    const { payment } = run(rules, [first, head(12, 2), head(13, 3, { disagree: true })])
    expect(payment.status).toBe('succeeded')
    expect(payment.flags).toEqual(['sources_disagree'])
  })

  it('delay the return of a success that a reorg revoked', () => {
    const { payment } = run(rules, [
      ...[first, head(12, 2), reorged('0x1', blockAt(10), { view: 3 })],
      ...[included('0x1', full, blockAt(12, 'b'), 4), head(20, 5, { disagree: true })],
    ])
    expect(payment.status).toBe('investigation_required')
  })
})

describe('a provider that denies what another shows', () => {
  const rules = policyOf({ quorum: 2 })
  const first = included('0x1', full, blockAt(10), 1)
  const denies = (source: string, view: number): Observation =>
    by(source, denied('0x1', blockAt(10), view))
  const stands = ({ payment }: { payment: Payment }) => [
    ...[payment.status, payment.finality, payment.flags],
  ]
  const held = ['confirming', 'none', ['sources_disagree']]
  const alone = head(90, 9, { finalized: 80, witnesses: 1 })

  it('delays the payment until outvoted, even if no other provider is up', () => {
    expect(stands(run(rules, [first, denies('rpc:two', 2), alone]))).toEqual(held)
    expect(stands(run(rules, [denies('rpc:two', 2), first, alone]))).toEqual(held)
  })

  it.each([
    ['as many show it as deny it', ['rpc:two'], ['rpc:three', 'rpc:four'], held],
    ['more show it', ['rpc:two', 'rpc:five'], ['rpc:three'], ['succeeded', 'final', []]],
  ])('is outvoted only by a majority: %s', (_what, shows, denials, expected) => {
    const seen = [
      ...[first, ...shows.map((source) => by(source, first))],
      ...denials.map((source) => denies(source, 2)),
    ]
    expect(stands(run(rules, [...seen, alone]))).toEqual(expected)
  })

  it('delays the payment also with a quorum of one, from the same step on', () => {
    const one = policyOf({ quorum: 1, settled: 1 })
    expect(stands(run(one, [denies('rpc:two', 1), first]))).toEqual(held)
  })

  it('withdraws its denial by showing it at a later view, but not at the same view', () => {
    const later = { ...by('rpc:two', first), view: 3 }
    for (const seen of [
      [denies('rpc:two', 2), later],
      [later, denies('rpc:two', 2)],
    ]) {
      expect(stands(run(rules, [first, ...seen, alone]))).toEqual(['succeeded', 'final', []])
    }
    expect(stands(run(rules, [first, denies('rpc:two', 3), later, alone]))).toEqual(held)
  })

  it('no longer counts as a source that shows it', () => {
    expect(stands(run(rules, [first, by('rpc:two', first), denies('rpc:two', 2), alone]))).toEqual(
      held,
    )
  })

  it('denies it also by a receipt that moved nothing', () => {
    const failed = movedNothing('0x1', 'reverted', { block: blockAt(10), view: 2 })
    const other = by('rpc:two', failed)
    const { payment } = run(rules, [first, other, alone])
    expect(stands({ payment })).toEqual(held)
    const [transfer] = transfersOf(payment, rules)
    expect(transfer).toMatchObject({ sources: ['rpc:one'], deniedBy: ['rpc:two'] })
  })

  it('keeps the finality of a success at none until it is outvoted', () => {
    const two = [first, by('rpc:two', first), head(12, 2, { witnesses: 2 })]
    const deep = head(90, 9, { safe: 85, finalized: 80, witnesses: 2 })
    const doubted = run(rules, [...two, denies('rpc:two', 2), deep])
    expect(stands(doubted)).toEqual(['succeeded', 'none', ['single_source', 'sources_disagree']])
    const before = run(rules, [...two, deep])
    expect(before.payment.finality).toBe('final')
    expect(run(rules, [...two, deep, denies('rpc:two', 10)]).payment.finality).toBe('none')
    const outvoted = [by('rpc:three', first), by('rpc:four', first)]
    expect(stands(run(rules, [...two, denies('rpc:two', 2), ...outvoted, deep]))).toEqual([
      ...['succeeded', 'final', []],
    ])
  })

  it('does not revoke a success, and sets the flag sources_disagree', () => {
    const two = [first, by('rpc:two', first), head(12, 2, { witnesses: 2 })]
    const { payment } = run(rules, [...two, denies('rpc:two', 2)])
    expect([payment.status, payment.flags.includes('sources_disagree')]).toEqual([
      'succeeded',
      true,
    ])
  })
})

it('keeps a success when the rules become stricter or the branch above it shorter', () => {
  const first = included('0x1', full, blockAt(10), 1)
  const { payment } = run(policyOf({ quorum: 1 }), [first, head(12, 2)])
  const stricter = { ...contextAt(bornAt + 9_000), policy: policyOf({ quorum: 1, settled: 12 }) }
  expect(decide(payment, [head(13, 3)], stricter)).toEqual({ events: [], payment })
  expect(decide(payment, [head(11, 3)], contextAt(bornAt + 9_000)).payment.status).toBe('succeeded')
  const lost = decide(payment, [reorged('0x1', blockAt(10), { view: 3 })], stricter)
  expect(lost.payment.reason).toBe('reorged_after_success')
})

it('keeps a large amount confirming while finality is stalled, at any depth', () => {
  const rules = policyOf({ quorum: 1, settled: 'finalized' })
  const { payment } = run(rules, [
    included('0x1', full, blockAt(10), 1),
    ...Array.from({ length: 50 }, (_, n) => head(10 + n, 2 + n, { safe: 40, finalized: 9 })),
  ])
  expect(payment.status).toBe('confirming')
  expect(payment.finality).toBe('none')
  expect(bornAt).toBeLessThan(payment.head.at)
})
