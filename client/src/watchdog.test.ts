import { beforeEach, expect, it } from 'vitest'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { Watchdog } from './watchdog.ts'

let clock: ManualClock
let barks: string[]
let dog: Watchdog

beforeEach(() => {
  clock = new ManualClock()
  barks = []
  dog = new Watchdog(clock, (what) => barks.push(what))
  dog.start()
})

it('Watchdog: stays quiet while it is fed in time', async () => {
  for (let i = 0; i < 10; i++) {
    dog.feed(20_000)
    await clock.advance(15_000)
  }
  expect(barks).toEqual([])
})

it('Watchdog: reports silence within a second after its deadline', async () => {
  dog.feed(20_000)
  await clock.advance(19_500)
  expect(barks).toEqual([])
  await clock.advance(1_500)
  expect(barks).toEqual(['silence'])
})

it('Watchdog: reports no silence while it rests', async () => {
  dog.feed(20_000)
  dog.rest()
  await clock.advance(600_000)
  expect(barks).toEqual([])
})

it('Watchdog: reports slept instead of silence after a jump of the clock', async () => {
  dog.feed(20_000)
  clock.jump(3_600_000)
  await clock.advance(0)
  expect(barks).toEqual(['slept'])
  dog.rest()
  clock.jump(3_600_000)
  await clock.advance(0)
  expect(barks).toEqual(['slept', 'slept'])
})

it('Watchdog: ignores late ticks of a hidden tab when it was fed meanwhile', async () => {
  for (let i = 0; i < 5; i++) {
    clock.jump(60_000)
    dog.feed(20_000)
    await clock.advance(0)
  }
  expect(barks).toEqual([])
})

it('Watchdog: leaves no timer behind', async () => {
  await clock.advance(10_000)
  dog.stop()
  expect(clock.waiting).toBe(0)
})
