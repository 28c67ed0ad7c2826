import { encodeFunctionData, encodeFunctionResult, type Hex, multicall3Abi } from 'viem'
import { describe, expect, it } from 'vitest'
import { newAddress } from '../../../../../test/support/evm/fake-chain.ts'
import { decodeBalances, encodeBalanceCalls } from './balances.ts'

// The test itself writes these texts in that form.
const hex = (text: string): Hex => text as Hex
const multicall3 = hex('0xca11bde05977b3631167028862be2a173976ca11')

const returned = (balances: readonly bigint[], success = true): Hex =>
  encodeFunctionResult({
    abi: multicall3Abi,
    functionName: 'aggregate3',
    result: balances.map((balance) => ({
      success,
      returnData: hex(`0x${balance.toString(16).padStart(64, '0')}`),
    })),
  })

describe('Multicall3 balance calls', () => {
  it.each([0, 1, 2, 500])('are encoded like viem encodes them, for %d addresses', (count) => {
    const addresses = Array.from({ length: count }, () => hex(newAddress()))
    const calls = addresses.map((address) => ({
      target: multicall3,
      allowFailure: false,
      callData: encodeFunctionData({
        abi: multicall3Abi,
        functionName: 'getEthBalance',
        args: [address],
      }),
    }))
    expect(encodeBalanceCalls(multicall3, addresses)).toBe(
      encodeFunctionData({ abi: multicall3Abi, functionName: 'aggregate3', args: [calls] }),
    )
  })

  it('are decoded from an ABI-encoded answer without loss', () => {
    const balances = [0n, 1n, 2n ** 53n + 1n, 2n ** 256n - 1n]
    expect(decodeBalances(returned(balances), 4)).toEqual(balances)
    expect(decodeBalances(returned([]), 0)).toEqual([])
  })

  it.each([
    ['is cut short', returned([1n, 2n]).slice(0, -64)],
    ['answers for fewer', returned([1n])],
    ['reports a failed call', returned([1n, 2n], false)],
    ['is not hex', '0xzz'],
    ['is null', null],
    ['points beyond its end', `0x${'f'.repeat(64 * 20)}`],
  ])('are refused when the answer %s', (_, answer) => {
    expect(() => decodeBalances(answer, 2)).toThrow('malformed balances')
  })
})
