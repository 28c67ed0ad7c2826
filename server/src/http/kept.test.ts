import { expect, it } from 'vitest'
import { Kept } from './kept.ts'

it('makes a value once for all who ask in its time, and a new one afterwards', async () => {
  let now = 0
  let made = 0
  const kept = new Kept({ clock: { now: () => now }, keepMs: 1_000, make: async () => ++made })
  expect(await Promise.all([kept.get(), kept.get()])).toEqual([1, 1])
  now = 999
  expect(await kept.get()).toBe(1)
  now = 1_000
  expect(await kept.get()).toBe(2)
})

it('tries again at once after a failure', async () => {
  let isBroken = true
  const make = async (): Promise<string> => {
    if (isBroken) throw new Error('broken')
    return 'made'
  }
  const kept = new Kept({ clock: { now: () => 0 }, keepMs: 1_000, make })
  await expect(kept.get()).rejects.toThrow('broken')
  isBroken = false
  expect(await kept.get()).toBe('made')
})
