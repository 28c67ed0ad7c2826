import { describe, expect, it } from 'vitest'
import { evm } from './evm-kind.ts'

const address = '0x5FbDB2315678afecb367f032d93F642f64180aa3'
const token = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'
const hash = `0x${'aB'.repeat(32)}`

describe('the names of EVM chains', () => {
  it('are stored in lower case, whichever case a person pasted', () => {
    expect(evm.addresses.parse(address)).toBe(address.toLowerCase())
    expect(evm.transactions.parse(hash)).toBe(hash.toLowerCase())
    expect(evm.addresses.print(address.toLowerCase())).toBe(address)
  })

  it.each([
    ['too short', hash.slice(0, -1)],
    ['too long', `${hash}0`],
    ['without 0x', 'ab'.repeat(33)],
    ['with another letter', hash.replace('a', 'g')],
    ['of another kind of chain', '7vZ3yLqkTfGhZVbiA3xJ1nQm9wR2uE5sCd8PaXoB4tKe'],
  ])('refuse a transaction hash that is %s', (_, text) => {
    expect(evm.transactions.parse(text)).toBeNull()
  })

  it('accept their own examples', () => {
    for (const { example, parse } of [evm.addresses, evm.transactions]) {
      expect(parse(example)).not.toBeNull()
    }
  })
})

describe('a payment link of an EVM chain (EIP-681)', () => {
  const to = { chain: 'local', chainId: 31_337, address: address.toLowerCase() }

  it('asks for a call of the token’s transfer, with addresses in the capitals of EIP-55', () => {
    expect(evm.paymentUri({ ...to, token: token.toLowerCase(), units: 150_000_000n })).toBe(
      `ethereum:${token}@31337/transfer?address=${address}&uint256=150000000`,
    )
  })

  it('asks for the native coin with its value', () => {
    expect(evm.paymentUri({ ...to, token: null, units: 10n ** 18n })).toBe(
      `ethereum:${address}@31337?value=1000000000000000000`,
    )
  })
})
