import { describe, expect, it } from 'vitest'
import { Turns } from './turns.ts'

describe('Turns', () => {
  it('runs a limited number of tasks at once, the others in order, and refuses the rest', async () => {
    const turns = new Turns({ atOnceMax: 2, waitingMax: 2 })
    const started: number[] = []
    const ends: (() => void)[] = []
    const work = (n: number) =>
      turns.take(async () => {
        started.push(n)
        await new Promise<void>((resolve) => ends.push(resolve))
        return n
      })
    const all = [1, 2, 3, 4].map(work)
    await expect(work(5)).rejects.toMatchObject({ code: 'overloaded' })
    expect(started).toEqual([1, 2])
    ends[0]?.()
    expect(await all[0]).toBe(1)
    expect(started).toEqual([1, 2, 3])
    ends[1]?.()
    await all[1]
    for (const end of ends) end()
    expect(started).toEqual([1, 2, 3, 4])
    ends[3]?.()
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4])
  })

  it('starts the next task when one fails', async () => {
    const turns = new Turns({ atOnceMax: 1, waitingMax: 1 })
    const failing = turns.take(() => Promise.reject(new Error('no')))
    const next = turns.take(() => Promise.resolve('yes'))
    await expect(failing).rejects.toThrow('no')
    expect(await next).toBe('yes')
    expect(await turns.take(() => Promise.resolve('again'))).toBe('again')
  })
})
