import { describe, expect, it } from 'vitest'
import { evm } from './evm-kind.ts'

const address = '0x5FbDB2315678afecb367f032d93F642f64180aa3'
const token = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'
const hash = `0x${'aB'.repeat(32)}`

describe('addresses and transaction hashes of EVM chains', () => {
  it('are stored in lower case, whatever the case of the input', () => {
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
  ])('are invalid when a transaction hash is %s', (_, text) => {
    expect(evm.transactions.parse(text)).toBeNull()
  })

  it('are valid in the examples of their notation', () => {
    for (const { example, parse } of [evm.addresses, evm.transactions]) {
      expect(parse(example)).not.toBeNull()
    }
  })
})

describe('a payment link of an EVM chain (EIP-681)', () => {
  const to = { chain: 'local', chainId: 31_337, address: address.toLowerCase() }

  it('calls `transfer` of the token, with EIP-55 checksummed addresses', () => {
    expect(evm.paymentUri({ ...to, token: token.toLowerCase(), units: 150_000_000n })).toBe(
      `ethereum:${token}@31337/transfer?address=${address}&uint256=150000000`,
    )
  })

  it('requests the native coin with a value in its smallest unit', () => {
    expect(evm.paymentUri({ ...to, token: null, units: 10n ** 18n })).toBe(
      `ethereum:${address}@31337?value=1000000000000000000`,
    )
  })
})
