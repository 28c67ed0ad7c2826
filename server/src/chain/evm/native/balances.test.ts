import { encodeFunctionData, encodeFunctionResult, type Hex, multicall3Abi } from 'viem'
import { describe, expect, it } from 'vitest'
import { newAddress } from '../../../../../test/support/evm/fake-chain.ts'
import { decodeBalances, encodeBalanceCalls } from './balances.ts'

// Made by ourselves, in that form.
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

describe('many balances in one call', () => {
  it.each([0, 1, 2, 500])('are asked for as an ABI encoder writes it: %d', (count) => {
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

  it('are read as an ABI encoder answers them, to the last unit', () => {
    const balances = [0n, 1n, 2n ** 53n + 1n, 2n ** 256n - 1n]
    expect(decodeBalances(returned(balances), 4)).toEqual(balances)
    expect(decodeBalances(returned([]), 0)).toEqual([])
  })

  it.each([
    ['is cut short', returned([1n, 2n]).slice(0, -64)],
    ['answers for fewer', returned([1n])],
    ['says that a call failed', returned([1n, 2n], false)],
    ['is no hex', '0xzz'],
    ['is nothing', null],
    ['points beyond its end', `0x${'f'.repeat(64 * 20)}`],
  ])('are not believed of an answer that %s', (_, answer) => {
    expect(() => decodeBalances(answer, 2)).toThrow('malformed balances')
  })
})
