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

/** The facts, and how often a transaction of its list is looked at. */
function watched(facts: Facts): { facts: Facts; looks: () => number } {
  let looks = 0
  const transactions = new Proxy(facts.transactions, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) looks += 1
      return Reflect.get(target, key)
    },
  }) as readonly Transaction[] // the same list, that counts
  return { facts: { ...facts, transactions }, looks: () => looks }
}

it('looks at what is known a few times each, however many transactions a step brings', () => {
  const count = 4_000
  const { facts } = mergeAll(noFacts, many(count), termsOf())
  const again = watched(facts)
  const learned = mergeAll(again.facts, many(count, 2), termsOf())
  expect(learned.kept).toHaveLength(count)
  // By halves for each, and once more to build the list.
  expect(again.looks()).toBeLessThan(count * (Math.ceil(Math.log2(count)) + 4))
})

it('looks at each transaction a number of times that does not grow with their number', () => {
  const perTransaction = (count: number): number => {
    const { facts } = mergeAll(noFacts, many(count), termsOf())
    const once = watched(facts)
    judge({ terms: termsOf(), facts: once.facts, toldSuccess: false }, policy)
    return once.looks() / count
  }
  expect(perTransaction(4_000)).toBeLessThanOrEqual(perTransaction(40) + 1)
})

it('tells of four thousand transfers of a block in as many events as of one', () => {
  const tell = (count: number) =>
    decide(opened().payment, [...many(count), headAt(10, 1)], contextAt(bornAt)).events.length
  expect(tell(4_000)).toBe(tell(1))
})
