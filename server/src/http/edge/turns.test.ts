import { expect, it } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.ts'
import { Turns } from './turns.ts'

it('does work at once until the time of a turn is used, and the rest in order in later turns', async () => {
  const clock = new ManualClock()
  const turns = new Turns(clock)
  const done: number[] = []
  for (let task = 1; task <= 7; task++) {
    turns.run(() => {
      done.push(task)
      clock.jump(2)
    })
  }
  expect(done).toEqual([1, 2, 3])
  await clock.advance(20)
  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(clock.waiting).toBe(0)
})

it('puts work that comes from work behind what waits already', async () => {
  const clock = new ManualClock()
  const turns = new Turns(clock)
  const done: string[] = []
  turns.run(() => clock.jump(5))
  turns.run(() => {
    done.push('first')
    turns.run(() => done.push('third'))
  })
  turns.run(() => done.push('second'))
  expect(done).toEqual([])
  await clock.advance(0)
  expect(done).toEqual(['first', 'second', 'third'])
})
