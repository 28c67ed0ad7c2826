import type { Clock } from '@settlewire/client/clock'
import { expect, it } from 'vitest'
import { Question } from './question.ts'

/** Calls what is due when it is told to. */
class HandClock implements Clock {
  #now = 0
  readonly #due = new Map<() => void, number>()

  now = (): number => this.#now
  chance = (): number => 0
  after = (delayMs: number, call: () => void): (() => void) => {
    this.#due.set(call, this.#now + delayMs)
    return () => this.#due.delete(call)
  }

  get waiting(): number {
    return this.#due.size
  }

  async pass(ms: number): Promise<void> {
    this.#now += ms
    for (const [call, at] of this.#due) {
      if (at > this.#now) continue
      this.#due.delete(call)
      call()
    }
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }
}

/** Answers from this call on; what was asked before is swallowed. */
const swallowing = (silent: number, calls: { asked: number }) => (signal: AbortSignal) => {
  if (++calls.asked > silent) return Promise.resolve('answer')
  return new Promise<string>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}

it('asks again by itself what a silent network swallowed', async () => {
  const clock = new HandClock()
  const answers: string[] = []
  const calls = { asked: 0 }
  const question = new Question(swallowing(1, calls), (answer) => answers.push(answer), clock)
  question.want()
  await clock.pass(2_900)
  expect([calls.asked, question.isOpen]).toEqual([1, true])
  await clock.pass(200)
  expect([calls.asked, answers, question.isOpen]).toEqual([2, ['answer'], false])
  expect(clock.waiting).toBe(0)
})

it('gives up after three tries, and asks anew when the answer is wanted again', async () => {
  const clock = new HandClock()
  const answers: string[] = []
  const calls = { asked: 0 }
  const question = new Question(swallowing(3, calls), (answer) => answers.push(answer), clock)
  question.want()
  for (const ms of [3_100, 8_100, 8_100, 60_000]) await clock.pass(ms)
  expect([calls.asked, answers, question.isOpen]).toEqual([3, [], true])
  question.want()
  await clock.pass(0)
  expect([calls.asked, answers, question.isOpen]).toEqual([4, ['answer'], false])
})

it('asks anew at once when the way to the server is another', async () => {
  const clock = new HandClock()
  const answers: string[] = []
  const calls = { asked: 0 }
  const question = new Question(swallowing(1, calls), (answer) => answers.push(answer), clock)
  question.want()
  await clock.pass(1_500)
  question.renew()
  await clock.pass(0)
  expect([calls.asked, answers]).toEqual([2, ['answer']])
})

it('asks once, and at once, when it is renewed while no try is on its way', async () => {
  const clock = new HandClock()
  const answers: string[] = []
  const calls = { asked: 0 }
  const question = new Question(swallowing(0, calls), (answer) => answers.push(answer), clock)
  question.renew()
  await clock.pass(0)
  expect([calls.asked, answers, question.isOpen]).toEqual([1, ['answer'], false])
  expect(clock.waiting).toBe(0)
})
