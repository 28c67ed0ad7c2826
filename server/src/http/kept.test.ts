import { expect, it } from 'vitest'
import { KeptValue } from './kept.ts'

it('a cached value is made once within keepMs, and again afterwards', async () => {
  let now = 0
  let made = 0
  const kept = new KeptValue({ clock: { now: () => now }, keepMs: 1_000, make: async () => ++made })
  expect(await Promise.all([kept.get(), kept.get()])).toEqual([1, 1])
  now = 999
  expect(await kept.get()).toBe(1)
  now = 1_000
  expect(await kept.get()).toBe(2)
})

it('a cached value is made again at once after a failure', async () => {
  let isBroken = true
  const make = async (): Promise<string> => {
    if (isBroken) throw new Error('broken')
    return 'made'
  }
  const kept = new KeptValue({ clock: { now: () => 0 }, keepMs: 1_000, make })
  await expect(kept.get()).rejects.toThrow('broken')
  isBroken = false
  expect(await kept.get()).toBe('made')
})
