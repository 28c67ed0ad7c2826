import { describe, expect, it } from 'vitest'
import { BalanceBook, reconcileBalances } from './balance-book.ts'

const three = ['0xa', '0xb', '0xc']
const watched = new Set(three)

describe('BalanceBook', () => {
  it('returns the balances at a block only when that block is its last update', () => {
    const book = new BalanceBook()
    book.replace('0x1', new Map([['0xa', 5n]]), watched)
    expect([...book.after('0x1', watched)]).toEqual([['0xa', 5n]])
    expect([...book.after('0x1', new Set(['0xb']))]).toEqual([])
    expect([...book.after('0x2', watched)]).toEqual([])
  })

  it('asks first for addresses with unknown balances, and in turn for all others', () => {
    const book = new BalanceBook()
    expect(book.inTurn(three, 3)).toEqual(three)
    expect(book.inTurn(three, 2)).toEqual(['0xa', '0xb'])
    const known = new Map<string, bigint>([
      ['0xa', 0n],
      ['0xb', 0n],
    ])
    book.replace('0x1', known, watched)
    expect(book.inTurn(three, 2)).toEqual(['0xc', '0xa'])
    book.replace('0x2', known.set('0xc', 0n), watched)
    const asked = Array.from({ length: 3 }, () => book.inTurn(three, 1)).flat()
    expect(asked.toSorted()).toEqual(three)
  })

  it('reports that an address may hold unreported money until its balance is read, if a block left it out', () => {
    const book = new BalanceBook()
    expect(book.isOwed('0xa', '0x0')).toBe(false)
    book.replace('0x1', new Map([['0xa', 5n]]), watched)
    expect(['0xa', '0xb', '0xd'].map((one) => book.isOwed(one, '0x1'))).toEqual([
      ...[false, true, false],
    ])
    book.replace('0x2', new Map(three.map((one) => [one, 0n])), watched)
    expect(book.isOwed('0xb', '0x2')).toBe(false)
  })

  it('reports that every address may hold unreported money until an unread block is read', () => {
    const book = new BalanceBook()
    book.passed('0x1', false)
    book.passed('0x2', true)
    expect([book.isOwed('0xa', '0x1'), book.isOwed('0xa', '0x2')]).toEqual([true, false])
    book.passed('0x1', true)
    expect(book.isOwed('0xa', '0x1')).toBe(false)
  })

  it('forgets the oldest unread blocks beyond its limit of 10,000', () => {
    const book = new BalanceBook()
    for (let at = 0; at <= 10_000; at++) book.passed(`0x${at}`, false)
    expect([book.isOwed('0xa', '0x0'), book.isOwed('0xa', '0x1')]).toEqual([false, true])
  })
})

describe('reconcileBalances', () => {
  const block = { values: [] }

  it('reports the surplus of an address over its expected balance once', () => {
    const expected = new Map([
      ['0xa', 5n],
      ['0xb', 9n],
    ])
    const tops = new Map([['0xa', 2n]])
    const actual = new Map([
      ['0xa', 10n],
      ['0xb', 9n],
    ])
    const odd = reconcileBalances(['0xa', '0xb'], { expected, tops, actual, block })
    expect([...odd]).toEqual([['0xa', 3n]])
    expect(expected.get('0xa')).toBe(10n)
  })

  it('reports the surplus of an unreadable block with the next readable one', () => {
    const expected = new Map([['0xa', 5n]])
    const tops = new Map([['0xa', 2n]])
    expect(reconcileBalances(['0xa'], { expected, tops, actual: null, block }).size).toBe(0)
    const actual = new Map([['0xa', 10n]])
    const odd = reconcileBalances(['0xa'], { expected, tops: new Map(), actual, block })
    expect([...odd]).toEqual([['0xa', 3n]])
  })

  it('reports 0 for an unknown balance above 0 and keeps it unknown; a balance of 0 becomes known', () => {
    const expected = new Map<string, bigint>()
    const actual = new Map([['0xa', 10n]])
    const odd = reconcileBalances(['0xa', '0xb'], { expected, tops: new Map(), actual, block })
    expect([...odd]).toEqual([['0xa', 0n]])
    // An address with a zero balance has received nothing.
    expect([...expected]).toEqual([['0xb', 0n]])
  })
})
