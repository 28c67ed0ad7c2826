import { expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'

const at = (tries: number, chance: number, more = {}) =>
  backoffMs({ tries, baseMs: 1_000, notBeforeMs: 0, ...more }, chance)

it('backoff: spreads waits over the whole window from the first retry on', () => {
  expect(at(0, 0)).toBe(100)
  expect(at(0, 0.5)).toBe(550)
  expect(at(0, 0.999)).toBeLessThan(1_000)
})

it('backoff: doubles the window with each try, up to ten seconds', () => {
  expect([0, 1, 2, 3].map((tries) => at(tries, 1))).toEqual([1_000, 2_000, 4_000, 8_000])
  expect(at(9, 1)).toBe(10_000)
  expect(at(100_000, 1)).toBe(10_000)
})

it('backoff: starts from the retry value of the server, and never before Retry-After', () => {
  expect(at(0, 1, { baseMs: 7_000 })).toBe(7_000)
  expect(at(0, 0, { notBeforeMs: 5_000 })).toBe(5_100)
  expect(at(3, 1, { notBeforeMs: 5_000 })).toBe(13_000)
})

it('backoff: waits at least 100 ms', () => {
  expect(at(0, 0, { baseMs: 0 })).toBe(100)
})
