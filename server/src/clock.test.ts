import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { systemClock } from './clock.ts'

describe('the system clock', () => {
  it('calls back once, after the delay', async () => {
    const started = performance.now()
    let calls = 0
    await new Promise<void>((resolve) => {
      systemClock.after(30, () => {
        calls++
        resolve()
      })
    })
    await systemClock.sleep(40)
    // Node's timers may round down by part of a millisecond against the high-resolution clock.
    expect(performance.now() - started).toBeGreaterThanOrEqual(69)
    expect(calls).toBe(1)
  })

  it('does not call back after a stop, which may be called twice', async () => {
    let calls = 0
    const stop = systemClock.after(5, () => calls++)
    stop()
    stop()
    await systemClock.sleep(20)
    expect(calls).toBe(0)
  })

  it("does not fire at once for a delay beyond the limit of Node's timers", async () => {
    let calls = 0
    const stop = systemClock.after(2 ** 31 + 1_000, () => calls++)
    await systemClock.sleep(20)
    stop()
    expect(calls).toBe(0)
  })

  it('ends a sleep at once when its signal aborts, before or during it', async () => {
    const started = performance.now()
    await systemClock.sleep(60_000, AbortSignal.abort())
    await systemClock.sleep(60_000, AbortSignal.timeout(20))
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it('never returns the same random bytes twice', () => {
    const draws = Array.from({ length: 5_000 }, () => systemClock.random(10))
    expect(draws.every(({ length }) => length === 10)).toBe(true)
    expect(new Set(draws.map((bytes) => bytes.join())).size).toBe(draws.length)
    expect(systemClock.random(20_000)).toHaveLength(20_000)
  })

  it('returns the requested number of random bytes', () => {
    const one = systemClock.random(16)
    expect(one).toHaveLength(16)
    expect(systemClock.random(16)).not.toEqual(one)
  })
})

describe('the manual clock', () => {
  it('calls due timers in order, each at its own time', async () => {
    const clock = new ManualClock(1_000)
    const seen: [string, number][] = []
    clock.after(20, () => seen.push(['late', clock.now()]))
    clock.after(10, () => {
      seen.push(['early', clock.now()])
      clock.after(5, () => seen.push(['nested', clock.now()]))
    })
    await clock.advance(30)
    expect(seen).toEqual([
      ['early', 1_010],
      ['nested', 1_015],
      ['late', 1_020],
    ])
    expect(clock.now()).toBe(1_030)
    expect(clock.waiting).toBe(0)
  })

  it('wakes a sleeper, and wakes it again from its next sleep', async () => {
    const clock = new ManualClock()
    const woke: number[] = []
    const from = clock.now()
    const sleeper = (async () => {
      await clock.sleep(10)
      woke.push(clock.now() - from)
      await clock.sleep(10)
      woke.push(clock.now() - from)
    })()
    await clock.advance(20)
    await sleeper
    expect(woke).toEqual([10, 20])
  })
})
