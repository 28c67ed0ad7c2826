import { expect, it } from 'vitest'
import { Turns } from './turns.ts'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('does work at once until the time of a turn is used, and the rest in order in later turns', async () => {
  let now = 0
  const turns = new Turns({ now: () => now })
  const done: number[] = []
  for (let task = 1; task <= 7; task++) {
    turns.run(() => {
      done.push(task)
      now += 2
    })
  }
  expect(done).toEqual([1, 2, 3])
  await nextTurn()
  expect(done).toEqual([1, 2, 3, 4, 5, 6])
  await nextTurn()
  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7])
})

it('puts work that comes from work behind what waits already', async () => {
  let now = 0
  const turns = new Turns({ now: () => now })
  const done: string[] = []
  turns.run(() => {
    now += 5
  })
  turns.run(() => {
    done.push('first')
    turns.run(() => done.push('third'))
  })
  turns.run(() => done.push('second'))
  await nextTurn()
  await nextTurn()
  expect(done).toEqual(['first', 'second', 'third'])
})
