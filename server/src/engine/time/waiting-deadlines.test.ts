import { describe, expect, it } from 'vitest'
import { type ScannedThrough, WaitingDeadlines } from './waiting-deadlines.ts'

/** Counts reads of the chains' progress: one for each deadline that is checked. */
function counted(through: Record<string, number>): {
  through: ScannedThrough
  reads: () => number
} {
  let reads = 0
  const proxy = new Proxy(through, {
    get: (target, name) => {
      reads += 1
      return Reflect.get(target, name)
    },
  })
  return { through: proxy, reads: () => reads }
}

const waiting = (past: number, ...chains: string[]) => ({ chains, past, notBefore: 0 })

describe('WaitingDeadlines', () => {
  it('checks a deadline when its own chain was read past it, and not for any other chain', () => {
    const deadlines = new WaitingDeadlines()
    for (let n = 0; n < 20_000; n++) deadlines.add(`blind-${n}`, waiting(n, 'blind'), {})
    for (let n = 0; n < 10; n++) deadlines.add(`seen-${n}`, waiting(1_000 * n, 'seen'), {})
    const { through, reads } = counted({ seen: 4_500 })
    expect(deadlines.hasReady('seen', through)).toBe(true)
    expect(deadlines.takeReady(0, through, 500)).toEqual({
      ...{ ready: [0, 1, 2, 3, 4].map((n) => `seen-${n}`), isAll: true },
    })
    // Five deadlines and the next one of each chain, not twenty thousand.
    expect(reads()).toBeLessThan(20)
    expect(deadlines.hasReady('seen', through)).toBe(false)
    expect(deadlines.size).toBe(20_005)
  })

  it('waits for each chain of a deadline, and then for the clock', () => {
    const deadlines = new WaitingDeadlines()
    deadlines.add('a', { chains: ['one', 'two'], past: 100, notBefore: 50 }, { one: 200 })
    expect(deadlines.hasReady('one', { one: 300 })).toBe(false)
    expect(deadlines.takeReady(60, { one: 300, two: 100 }, 9).ready).toEqual([])
    // Chain `one` has become blind meanwhile.
    expect(deadlines.takeReady(60, { two: 101 }, 9).ready).toEqual([])
    expect(deadlines.hasReady('one', { one: 300, two: 101 })).toBe(true)
    expect(deadlines.takeReady(49, { one: 300, two: 101 }, 9).ready).toEqual([])
    expect(deadlines.nextByClock).toBe(50)
    expect(deadlines.takeReady(50, { one: 300, two: 101 }, 9).ready).toEqual(['a'])
    expect([deadlines.size, deadlines.has('a')]).toEqual([0, false])
  })

  it('holds each deadline in one queue only, even when it is added again', () => {
    const deadlines = new WaitingDeadlines()
    for (let n = 0; n < 1_000; n++) deadlines.add('a', waiting(n, 'one'), {})
    deadlines.add('a', { chains: [], past: 0, notBefore: 7 }, {})
    deadlines.add('b', waiting(1, 'one'), {})
    deadlines.delete('b')
    expect(deadlines.takeReady(7, { one: 5_000 }, 500)).toEqual({ ready: ['a'], isAll: true })
    expect(deadlines.size).toBe(0)
  })

  it('returns a limited number of deadlines at a time', () => {
    const deadlines = new WaitingDeadlines()
    for (let n = 0; n < 1_200; n++) deadlines.add(`p${n}`, waiting(5, 'one'), {})
    const seen = new Set<string>()
    let rounds = 0
    for (let isAll = false; !isAll; rounds++) {
      const taken = deadlines.takeReady(9, { one: 6 }, 500)
      for (const id of taken.ready) seen.add(id)
      isAll = taken.isAll
    }
    expect([seen.size, deadlines.size]).toEqual([1_200, 0])
    expect(rounds).toBeGreaterThan(2)
  })
})
