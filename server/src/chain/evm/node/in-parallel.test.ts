import { describe, expect, it } from 'vitest'
import { inParallel } from './in-parallel.ts'

const tick = () => new Promise((resolve) => setTimeout(resolve, 1))

describe('inParallel', () => {
  it('resolves in the order of the items, and never runs more at once than allowed', async () => {
    let running = 0
    let most = 0
    const results = await inParallel([5, 3, 9, 1, 7, 2], 3, async (item) => {
      most = Math.max(most, ++running)
      for (let wait = 0; wait < item; wait++) await tick()
      running--
      return item * 10
    })
    expect(results).toEqual([50, 30, 90, 10, 70, 20])
    expect(most).toBe(3)
  })

  it('starts no further item after a failure, and rejects with it', async () => {
    const begun: number[] = []
    const run = inParallel([1, 2, 3, 4, 5, 6], 2, async (item) => {
      begun.push(item)
      await tick()
      if (item === 2) throw new Error('second')
      await tick()
    })
    await expect(run).rejects.toThrow('second')
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(begun.length).toBeLessThan(6)
  })

  it('resolves at once for an empty list', async () => {
    expect(await inParallel([], 4, () => Promise.reject(new Error('never')))).toEqual([])
  })
})
