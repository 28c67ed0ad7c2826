import { expect, it } from 'vitest'
import {
  blockAt,
  bornAt,
  contextAt,
  headAt,
  included,
  opened,
  policy,
  termsOf,
} from '../../../test/support/payments.ts'
import { decide } from './decide.ts'
import { mergeAll, noFacts } from './facts.ts'
import { judge } from './judge.ts'
import type { Included } from './observation.ts'
import type { Facts, Transaction } from './payment.ts'

const hashOf = (i: number): string => `0x${(i * 7919).toString(16)}`
const many = (count: number, view = 1): Included[] =>
  Array.from({ length: count }, (_, i) => included(hashOf(i), 1_000n, blockAt(10), view))

/** The facts, and a counter of the reads of transactions from their list. */
function watched(facts: Facts): { facts: Facts; looks: () => number } {
  let looks = 0
  const transactions = new Proxy(facts.transactions, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) looks += 1
      return Reflect.get(target, key)
    },
  }) as readonly Transaction[] // the same list, with a counter
  return { facts: { ...facts, transactions }, looks: () => looks }
}

it('merging thousands of observations reads the known transactions O(n log n) times', () => {
  const count = 4_000
  const { facts } = mergeAll(noFacts, many(count), termsOf())
  const again = watched(facts)
  const learned = mergeAll(again.facts, many(count, 2), termsOf())
  expect(learned.kept).toHaveLength(count)
  // A binary search for each, and one more pass to build the list.
  expect(again.looks()).toBeLessThan(count * (Math.ceil(Math.log2(count)) + 4))
})

it('judging reads each transaction at most once more among thousands than among forty', () => {
  const perTransaction = (count: number): number => {
    const { facts } = mergeAll(noFacts, many(count), termsOf())
    const once = watched(facts)
    judge({ terms: termsOf(), facts: once.facts, toldSuccess: false }, policy)
    return once.looks() / count
  }
  expect(perTransaction(4_000)).toBeLessThanOrEqual(perTransaction(40) + 1)
})

it('emits as many events for four thousand transfers of a block as for one', () => {
  const tell = (count: number) =>
    decide(opened().payment, [...many(count), headAt(10, 1)], contextAt(bornAt)).events.length
  expect(tell(4_000)).toBe(tell(1))
})
