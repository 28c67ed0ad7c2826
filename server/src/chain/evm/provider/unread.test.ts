import { describe, expect, it } from 'vitest'
import { Unread } from './unread.ts'

const second = 1_000
/** A block every two seconds, from 0. */
const block = (number: number, minedAt = number * 2 * second) => ({
  ...{ number, minedAt, hash: `0x${number}`, parentHash: `0x${number - 1}` },
})
const open = (stored: number) => {
  const unread = new Unread(2 * second)
  unread.at(block(stored))
  return unread
}

describe('known blocks that are not stored', () => {
  it('are those above the stored cursor that any provider showed', () => {
    const unread = open(5)
    unread.received('a', block(5), 10_000)
    expect(unread.isAny).toBe(false)
    unread.received('b', block(6), 12_000)
    expect(unread.isAny).toBe(true)
    unread.at(block(6))
    expect(unread.isAny).toBe(false)
  })

  it('stay known when their provider shows a lower head afterwards', () => {
    const unread = open(5)
    unread.received('a', block(6), 12_000)
    unread.received('a', block(5), 13_000)
    expect(unread.isAny).toBe(true)
    expect(unread.lagMs(['a'], 60_000)).toBe(48_000)
  })

  it('are forgotten when their provider is refused or their branch is reverted', () => {
    const unread = open(5)
    unread.received('a', block(9), 18_000)
    unread.forget('a')
    expect(unread.isAny).toBe(false)
    unread.received('b', block(9), 18_000)
    unread.at(block(6), true)
    expect(unread.isAny).toBe(false)
  })

  it('cause a lag of the time since the first of them was known', () => {
    const unread = open(5)
    for (const number of [6, 7, 8]) unread.received('a', block(number), number * 2 * second)
    expect(unread.lagMs(['a'], 20_000)).toBe(8_000)
    unread.at(block(7))
    expect(unread.lagMs(['a'], 20_000)).toBe(4_000)
    unread.at(block(8))
    expect(unread.lagMs(['a'], 20_000)).toBe(0)
  })

  it('cause a lag at once for blocks that were missed while disconnected', () => {
    const unread = open(100)
    unread.received('a', block(1_900), 3_800_000)
    expect(unread.lagMs(['a'], 3_800_000)).toBe(1_799 * 2 * second)
  })

  it('cause no lag for a pause before the first of them', () => {
    const unread = open(5)
    unread.received('a', block(6, 3_600_000), 3_600_000)
    expect(unread.lagMs(['a'], 3_600_100)).toBe(100)
  })

  it('cause the right lag when block times are far in the past or future', () => {
    const slow = new Unread(2 * second)
    slow.at(block(5, 0))
    slow.received('a', block(6, 2_000), 9_000_000)
    expect(slow.lagMs(['a'], 9_000_500)).toBe(500)
    const early = new Unread(2 * second)
    early.at(block(5, 9_000_000))
    early.received('a', block(6, 9_002_000), 20_000)
    expect(early.lagMs(['a'], 65_000)).toBe(45_000)
  })

  it('cause no lag when one provider fakes them, and a provider behind hides no lag', () => {
    const unread = open(50)
    unread.received('liar', block(1_000_000), 0)
    unread.received('honest', block(51), 102_000)
    unread.received('behind', block(40), 102_000)
    expect(unread.lagMs(['liar', 'honest', 'behind'], 102_500)).toBe(500)
    expect(unread.lagMs(['behind'], 102_500)).toBe(0)
    expect(unread.lagMs(['liar', 'behind'], 60_000)).toBe(60_000)
  })

  it('use bounded memory however long no block can be read, and keep the first', () => {
    const unread = open(5)
    for (let number = 6; number < 20_000; number++)
      unread.received('a', block(number), number * 1_000)
    expect(unread.lagMs(['a'], 20_000_000)).toBe(20_000_000 - 6_000)
    unread.at(block(10_000))
    const lagMs = unread.lagMs(['a'], 20_000_000)
    expect(lagMs).toBeGreaterThan(9_000_000)
    expect(lagMs).toBeLessThanOrEqual(10_000_000 - 1_000)
  })
})
