import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { Allowance } from './allowance.ts'

const clock = new ManualClock()
const begin = () => new Allowance({ clock, burst: 3, everyMs: 1_000 })
const taken = (allowance: Allowance, name: string, times: number): number => {
  for (let i = 0; i < times; i++) {
    try {
      allowance.take(name)
    } catch {
      return i
    }
  }
  return times
}

describe('an allowance', () => {
  it('allows a burst, then one call per interval, separately for each name', async () => {
    const allowance = begin()
    expect([taken(allowance, 'a', 9), taken(allowance, 'b', 9)]).toEqual([3, 3])
    await clock.advance(2_000)
    expect(taken(allowance, 'a', 9)).toBe(2)
    await clock.advance(60_000)
    expect(taken(allowance, 'a', 9)).toBe(3)
  })

  it('refuses with the time to wait, after which the next call is allowed', async () => {
    const allowance = begin()
    taken(allowance, 'a', 3)
    await clock.advance(400)
    expect(() => allowance.take('a')).toThrow(
      expect.objectContaining({ code: 'rate_limited', retryAfterSeconds: 1 }),
    )
    await clock.advance(600)
    expect(taken(allowance, 'a', 9)).toBe(1)
  })

  it('limits its memory by forgetting the least recently used name first', () => {
    const allowance = begin()
    expect(taken(allowance, 'flood', 9)).toBe(3)
    for (let i = 0; i < 9_998; i++) allowance.take(`crowd ${i}`)
    expect(taken(allowance, 'flood', 1)).toBe(0)
    for (let i = 0; i < 3; i++) allowance.take(`late ${i}`)
    expect(taken(allowance, 'flood', 9)).toBe(3)
  })
})
