import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAmount, printAmount, rescale } from './amount.ts'

describe('amounts', () => {
  it.each([
    ['150.00', 6, 150_000_000n],
    ['0.000001', 6, 1n],
    ['0', 6, 0n],
    ['1', 18, 10n ** 18n],
    ['9007199254740993', 0, 9_007_199_254_740_993n],
    ['123456789012345678901234567890.123456', 6, 123456789012345678901234567890123456n],
  ])('reads %s at %i places', (text, decimals, amount) => {
    expect(parseAmount(text, decimals)).toBe(amount)
  })

  it.each([
    '',
    ' 1',
    '1 ',
    '+1',
    '-1',
    '1.',
    '.5',
    '01',
    '1e21',
    '1E2',
    '0x10',
    '1_000',
    '1,5',
    'NaN',
    'Infinity',
    '1.0000000',
    '٣',
    '1\n',
    `1${'0'.repeat(60)}`,
    '1.2.3',
  ])('refuses %j', (text) => {
    expect(() => parseAmount(text, 6)).toThrow(expect.objectContaining({ code: 'invalid_amount' }))
  })

  it.each([
    [150_000_000n, 6, '150.00'],
    [150_010_000n, 6, '150.01'],
    [1n, 6, '0.000001'],
    [0n, 6, '0.00'],
    [10n ** 18n, 18, '1.00'],
    [5n, 0, '5'],
    [15n, 1, '1.5'],
    [-1_500_000n, 6, '-1.50'],
  ])('prints %s at %i places as %s', (amount, decimals, text) => {
    expect(printAmount(amount, decimals)).toBe(text)
  })

  it('reads back what it prints', () => {
    const amounts = fc.bigInt({ min: 0n, max: 10n ** 40n })
    fc.assert(
      fc.property(amounts, fc.integer({ min: 0, max: 30 }), (amount, decimals) => {
        expect(parseAmount(printAmount(amount, decimals), decimals)).toBe(amount)
      }),
    )
  })

  it('converts to a finer scale without loss and refuses a coarser one', () => {
    expect(rescale(150_000_000n, 6, 18)).toBe(150n * 10n ** 18n)
    expect(() => rescale(1n, 18, 6)).toThrow()
  })
})
