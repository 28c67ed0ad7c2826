import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { observations } from '../../../test/support/any-observation.ts'
import { contestAt, decided, pendingIn } from '../../../test/support/observations.ts'
import { blockAt, headAt, included, policy, termsOf } from '../../../test/support/payments.ts'
import { merge, noFacts } from './facts.ts'
import { judge } from './judge.ts'
import type { Observation } from './observation.ts'
import type { Facts } from './payment.ts'
import { transfersOf } from './transfer.ts'

const terms = termsOf()
const all = (seen: readonly Observation[], facts: Facts = noFacts): Facts =>
  seen.reduce((known, observation) => merge(known, observation, terms), facts)

const shuffled = observations({ withPeople: true }).chain((straight) =>
  fc.record({
    straight: fc.constant(straight),
    mixed: fc.shuffledSubarray([...straight, ...straight], { minLength: straight.length * 2 }),
  }),
)

describe('merging facts of every kind', () => {
  it('gives the same facts in any order and with any repetition', () => {
    fc.assert(
      fc.property(shuffled, ({ straight, mixed }) => {
        expect(all(mixed)).toEqual(all(straight))
      }),
      { numRuns: 2_000 },
    )
  })

  it('returns the same list of transactions when an observation adds nothing', () => {
    fc.assert(
      fc.property(observations({ withPeople: true }), (seen) => {
        const facts = all(seen)
        for (const observation of seen) {
          expect(merge(facts, observation, terms).transactions).toBe(facts.transactions)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('counts at most one transaction of each contest, and no transfer twice', () => {
    fc.assert(
      fc.property(observations({ withPeople: true }), (seen) => {
        const facts = all(seen)
        const live = transfersOf({ terms, facts }, policy).filter(
          ({ stage }) => !['replaced', 'dropped', 'reorged', 'reverted', 'claimed'].includes(stage),
        )
        const contests = new Map(
          facts.transactions.map(({ chain, txHash, contest }) => [
            `${chain} ${txHash}`,
            contest ? `${chain} ${contest.key}` : `${chain} ${txHash}`,
          ]),
        )
        const byContest = new Map<string, Set<string>>()
        for (const { chain, txHash } of live) {
          const contest = contests.get(`${chain} ${txHash}`) ?? ''
          byContest.set(contest, (byContest.get(contest) ?? new Set()).add(txHash))
        }
        for (const hashes of byContest.values()) expect(hashes.size).toBe(1)
        const keys = live.map(({ chain, txHash, part }) => `${chain} ${txHash} ${part}`)
        expect(new Set(keys).size).toBe(keys.length)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('two contradicting reports on one transaction', () => {
  it.each([
    [{ contest: contestAt(7, 10n) }, { contest: contestAt(7, 12n) }],
    [{ contest: contestAt(7, 10n) }, { contest: contestAt(8, 10n) }],
  ])('give the same facts in either order: %o %o', (one, other) => {
    const seen = [pendingIn('0x1', 1_000n, one), pendingIn('0x1', 1_000n, other)]
    expect(all(seen)).toEqual(all(seen.toReversed()))
  })

  it('leave the smaller amount, in either order', () => {
    const seen = [pendingIn('0x1', 1_000n, {}), pendingIn('0x1', 999n, {})]
    for (const order of [seen, seen.toReversed()]) {
      expect(all(order).transactions[0]?.hint?.amount).toBe(999n)
    }
  })

  it('of two withdrawals at one instant always leave the same one', () => {
    const of = (reason: string): Observation => ({
      ...{ kind: 'withdrawn', source: 'merchant', at: 5, reason },
    })
    for (const order of [
      [of('a'), of('b')],
      [of('b'), of('a')],
    ]) {
      expect(all(order).withdrawn?.reason).toBe('a')
    }
  })
})

describe('two reports on one head', () => {
  it('are merged to the more careful values, in either order', () => {
    const plain = { ...headAt(10, 5, 7), safe: 8 } as Observation // the spread of a union
    const doubtful = { ...headAt(10, 5), witnesses: 3, disagree: true } as Observation
    for (const seen of [
      [plain, doubtful],
      [doubtful, plain],
    ]) {
      expect(all(seen).heads.local).toEqual({
        ...{ view: 5, head: 10, safe: 8, finalized: 7, witnesses: 3, disagree: true },
      })
    }
  })

  it('leave out witnesses and disagree at their default values', () => {
    expect(all([{ ...headAt(10, 5), witnesses: 1, disagree: false } as Observation])).toEqual(
      all([headAt(10, 5)]),
    )
  })
})

it('judges twice as many transactions, contests and decisions at about twice the cost', () => {
  const looksAt = (count: number): number => {
    let looks = 0
    const seen = Array.from({ length: count }, (_, n) => [
      pendingIn(`0x${n}`, 1_000n, { contest: contestAt(n % (count / 10), BigInt(n)), view: 1 }),
      ...(n % 3 === 0 ? [included(`0x${n}`, 1_000n, blockAt(10), 2)] : []),
    ]).flat()
    const facts = all([...seen, decided('dismiss', 1)])
    const transactions = facts.transactions.map(
      (transaction) =>
        new Proxy(transaction, {
          get: (target, key) => {
            looks++
            return Reflect.get(target, key)
          },
        }),
    )
    judge({ terms, facts: { ...facts, transactions }, toldSuccess: false }, policy)
    return looks
  }
  expect(looksAt(400) / looksAt(200)).toBeLessThan(2.4)
})

it('reads facts that were stored before contests, claims, drops and decisions existed', () => {
  const stored = {
    transactions: [
      {
        ...{ chain: 'local', txHash: '0x1', hint: null, mempool: { view: 1, known: true } },
        seenAt: 5,
        inclusions: {
          '0xa10': {
            ...{ view: 2, canonical: true, outcome: 'paid', block: blockAt(10) },
            transfers: [
              {
                ...{ txHash: '0x1', part: 0, token: terms.accept[0]?.token ?? null },
                ...{ from: '0xpayer', to: terms.accept[0]?.address ?? '', amount: terms.amount },
              },
            ],
            shownBy: { 'rpc:one': 2 },
          },
        },
      },
    ],
    heads: { local: { view: 4, head: 12, safe: null, finalized: null } },
    ...{ clock: null, withdrawn: null },
  } as const satisfies Facts
  const judged = judge({ terms, facts: stored, toldSuccess: false }, policy)
  expect([judged.status, judged.flags]).toEqual(['succeeded', []])
  expect(merge(stored, headAt(12, 4), terms)).toEqual(stored)
})
