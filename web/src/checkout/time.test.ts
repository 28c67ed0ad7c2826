import { expect, it } from 'vitest'
import { remaining, timeOfDay } from './time.ts'

it('remaining counts down to 0:00 and not below', () => {
  expect(remaining(1_800_000)).toBe('30:00')
  expect(remaining(61_000)).toBe('1:01')
  expect(remaining(1)).toBe('0:01')
  expect(remaining(0)).toBe('0:00')
  expect(remaining(-5_000)).toBe('0:00')
  expect(remaining(3_600_000 + 62_000)).toBe('1:01:02')
})

it('timeOfDay prints the time to the second', () => {
  expect(timeOfDay(Date.now())).toMatch(/^\d\d:\d\d:\d\d$/)
})
