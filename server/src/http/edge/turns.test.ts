import { expect, it } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.ts'
import { LoopTurns } from './turns.ts'

it('tasks run at once while there is time in the turn, then in order in later turns', async () => {
  const clock = new ManualClock()
  const turns = new LoopTurns(clock)
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

it('a task added by a running task runs after those that already wait', async () => {
  const clock = new ManualClock()
  const turns = new LoopTurns(clock)
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

it("a turn's time includes the promises that its tasks start", async () => {
  const clock = new ManualClock()
  const turns = new LoopTurns(clock)
  const done: number[] = []
  const answer = (task: number) => async (): Promise<void> => {
    await Promise.resolve()
    done.push(task)
    clock.jump(3)
  }
  turns.run(() => clock.jump(5))
  for (let task = 1; task <= 6; task++) turns.run(answer(task))
  const seen: number[] = []
  // Like a connection that comes while a turn runs: the loop takes it after the turn.
  clock.after(0, () => clock.after(0, () => seen.push(done.length)))
  await clock.advance(50)
  expect(done).toEqual([1, 2, 3, 4, 5, 6])
  expect(seen).toEqual([3])
})

it('turns are shorter while connections come', async () => {
  const clock = new ManualClock()
  const turns = new LoopTurns(clock)
  const done: number[] = []
  turns.run(() => clock.jump(5))
  for (let task = 1; task <= 4; task++) {
    turns.run(() => {
      done.push(task)
      clock.jump(1)
    })
  }
  const seen: number[] = []
  clock.after(0, () => {
    turns.knock()
    clock.after(0, () => seen.push(done.length))
  })
  await clock.advance(50)
  expect(done).toEqual([1, 2, 3, 4])
  expect(seen).toEqual([2])
})
