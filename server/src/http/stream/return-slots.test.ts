import { expect, it } from 'vitest'
import { returnSlots } from './return-slots.ts'

const slotsOf = (count: number, windowMs: number): number[] =>
  Array.from({ length: count }, (_, index) => returnSlots(count, windowMs)(index))

it('a few streams come back soon, a millisecond apart', () => {
  expect(slotsOf(3, 10_000)).toEqual([500, 501, 502])
})

it('many streams come back evenly over the whole window, and none after it', () => {
  const slots = slotsOf(40_000, 10_000)
  expect(Math.max(...slots)).toBe(10_500)
  const perSecond = Array.from({ length: 10 }, () => 0)
  for (const slot of slots) {
    const second = Math.min(9, Math.floor((slot - 500) / 1_000))
    perSecond[second] = (perSecond[second] ?? 0) + 1
  }
  expect(Math.max(...perSecond) - Math.min(...perSecond)).toBeLessThan(20)
})
