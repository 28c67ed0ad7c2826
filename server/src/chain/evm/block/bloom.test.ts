import { describe, expect, it } from 'vitest'
import {
  FakeChain,
  fakeTx,
  newAddress,
  transferLog,
} from '../../../../../test/support/evm/fake-chain.ts'
import { bloomTest } from './bloom.ts'
import { transferTopic } from './logs.ts'

const bloomOf = (tokens: readonly string[]): string =>
  new FakeChain().mine(
    tokens.map((token) => fakeTx({ logs: [transferLog(token, newAddress(), 1n)] })),
  ).logsBloom

describe('the bloom filter of a header', () => {
  const token = newAddress()
  const mayHold = bloomTest([newAddress(), token], transferTopic)

  it('never excludes a block that holds a transfer of one of our tokens', () => {
    for (let others = 0; others < 40; others += 8) {
      const crowd = Array.from({ length: others }, newAddress)
      expect(mayHold(bloomOf([...crowd, token]))).toBe(true)
    }
  })

  it('excludes a block of other tokens, and an empty block', () => {
    expect(mayHold(bloomOf([newAddress(), newAddress()]))).toBe(false)
    expect(mayHold(`0x${'0'.repeat(512)}`)).toBe(false)
  })

  it('excludes nothing when it is full, missing or malformed', () => {
    expect(mayHold(`0x${'f'.repeat(512)}`)).toBe(true)
    expect(mayHold(undefined)).toBe(true)
    expect(mayHold('0x00')).toBe(true)
  })

  it('excludes every block when no token is configured', () => {
    const nothing = bloomTest([], transferTopic)
    expect(nothing(`0x${'f'.repeat(512)}`)).toBe(false)
    expect(nothing(undefined)).toBe(false)
  })
})
