import { describe, expect, it } from 'vitest'
import { fieldsOf, quantity, toAddress, toBigInt, toCount, toHash } from './hex.ts'

describe("parsing a node's hex", () => {
  it('parses a quantity of any size exactly', () => {
    expect(toBigInt('0x0', 'amount')).toBe(0n)
    expect(toBigInt(`0x${'f'.repeat(64)}`, 'amount')).toBe(2n ** 256n - 1n)
    expect(toBigInt('0x3635c9adc5dea00001', 'amount')).toBe(10n ** 21n + 1n)
  })

  it.each(['', '0x', '1', '-0x1', '0x1e+21', '0xg', ' 0x1', `0x${'f'.repeat(65)}`, 5, null])(
    'refuses %j as a quantity',
    (value) => {
      expect(() => toBigInt(value, 'amount')).toThrow('malformed amount')
    },
  )

  it('refuses a count beyond 2^53 instead of rounding it', () => {
    expect(toCount('0x1fffffffffffff', 'number')).toBe(Number.MAX_SAFE_INTEGER)
    expect(() => toCount('0x20000000000000', 'number')).toThrow('malformed number')
  })

  it('returns valid hashes and addresses in lower case, and refuses invalid ones', () => {
    expect(toHash(`0x${'AB'.repeat(32)}`, 'hash')).toBe(`0x${'ab'.repeat(32)}`)
    expect(() => toHash(`0x${'ab'.repeat(31)}`, 'hash')).toThrow('malformed hash')
    expect(toAddress(`0x${'AB'.repeat(20)}`)).toBe(`0x${'ab'.repeat(20)}`)
    expect(toAddress('0x1')).toBeNull()
    expect(toAddress(null)).toBeNull()
  })

  it('writes a count as hex without leading zeros', () => {
    expect([0, 15, 16, 2 ** 40].map(quantity)).toEqual(['0x0', '0xf', '0x10', '0x10000000000'])
  })

  it('returns fields only for an object', () => {
    expect(fieldsOf({ a: 1 })).toEqual({ a: 1 })
    for (const other of [null, undefined, 'text', 1, []]) expect(fieldsOf(other)).toBeNull()
  })
})
