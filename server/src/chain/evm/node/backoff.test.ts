import { describe, expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'

const backoff = { baseMs: 100, maxMs: 5_000 }

describe('the wait before another try', () => {
  it('has a ceiling that doubles with each try up to its maximum', () => {
    const ceilings = [0, 1, 2, 3, 6, 10, 1_000].map((attempt) => backoffMs(attempt, backoff, 1))
    expect(ceilings).toEqual([100, 200, 400, 800, 5_000, 5_000, 5_000])
  })

  it('is spread evenly between zero and the ceiling', () => {
    expect([0, 0.25, 0.5, 0.75].map((chance) => backoffMs(3, backoff, chance))).toEqual([
      0, 200, 400, 600,
    ])
  })
})
