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

it('gives up what a silent network swallowed, and asks anew when the answer is wanted again', async () => {
  const clock = new HandClock()
  const answers: string[] = []
  let asked = 0
  const ask = (signal: AbortSignal): Promise<string> => {
    if (++asked > 1) return Promise.resolve('answer')
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  }
  const question = new Question(ask, (answer) => answers.push(answer), clock)
  question.want()
  await clock.pass(7_900)
  question.want()
  expect([asked, question.isOpen]).toEqual([1, true])
  await clock.pass(200)
  question.want()
  await clock.pass(0)
  expect([asked, answers, question.isOpen]).toEqual([2, ['answer'], false])
  expect(clock.waiting).toBe(0)
})
