import { expect, it } from 'vitest'
import { fixtures, payment } from '../../../test/support/checkout-fixtures.ts'
import { grouped, inFours, missingAmount, seenAmount, shortened, uriFor } from './money.ts'

it('seenAmount and missingAmount are exact beyond the precision of a number', () => {
  const odd = payment({
    amount: '9007199254740993.000000000000000001',
    amountReceived: '0.000000000000000001',
    amountPending: '1.5',
  })
  expect(seenAmount(odd)).toBe('1.500000000000000001')
  expect(missingAmount(odd)).toBe('9007199254740991.50')
  expect(missingAmount(payment({ amountReceived: '170.00' }))).toBe('0.00')
})

it('grouped puts narrow spaces between thousands', () => {
  expect(grouped('1250000.50')).toBe('1\u202f250\u202f000.50')
  expect(grouped('999.123456')).toBe('999.123456')
  expect(grouped('1000')).toBe('1\u202f000')
})

it('inFours splits an address into its 0x and ten groups of four', () => {
  const address = '0x5FbDB2315678afecb367f032d93F642f64180aa3'
  expect(inFours(address)).toHaveLength(11)
  expect(inFours(address).join('')).toBe(address)
  expect(shortened(address)).toBe('0x5FbDB2…180aa3')
})

it('uriFor puts the missing amount into the wallet link; null if the link cannot express it', () => {
  const [accept] = fixtures.awaiting.accept
  if (accept === undefined) throw new Error('the fixture accepts something')
  expect(uriFor(accept, '150.00')).toBe(accept.uri)
  expect(uriFor(accept, '100.000001')).toContain('&uint256=100000001')
  expect(uriFor(accept, '0.0000001')).toBeNull()
  expect(uriFor({ ...accept, uri: null }, '150.00')).toBeNull()
  expect(uriFor({ ...accept, uri: 'pebble:pay?sum=150' }, '100.00')).toBeNull()
  const native = { ...accept, decimals: 18, uri: `ethereum:${accept.address}@1?value=1` }
  expect(uriFor(native, '0.5')).toBe(`ethereum:${accept.address}@1?value=500000000000000000`)
})
