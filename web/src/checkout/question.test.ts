import type { Clock } from '@settlewire/client/clock'
import { expect, it } from 'vitest'
import { WantedRequest } from './question.ts'

/** A clock that moves only by `pass`. */
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

/** Never answers the first `silent` requests, and answers all later ones. */
const swallowing = (silent: number, calls: { asked: number }) => (signal: AbortSignal) => {
  if (++calls.asked > silent) return Promise.resolve('answer')
  return new Promise<string>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}

it('WantedRequest: repeats a request by itself after a time-out', async () => {
  const clock = new HandClock()
  const answers: string[] = []
  const calls = { asked: 0 }
  const question = new WantedRequest(swallowing(1, calls), (answer) => answers.push(answer), clock)
  question.want()
  await clock.pass(2_900)
  expect([calls.asked, question.isOpen]).toEqual([1, true])
  await clock.pass(200)
  expect([calls.asked, answers, question.isOpen]).toEqual([2, ['answer'], false])
  expect(clock.waiting).toBe(0)
})

it('WantedRequest: gives up after three tries, and starts again with the next want()', async () => {
  const clock = new HandClock()
  const answers: string[] = []
  const calls = { asked: 0 }
  const question = new WantedRequest(swallowing(3, calls), (answer) => answers.push(answer), clock)
  question.want()
  for (const ms of [3_100, 8_100, 8_100, 60_000]) await clock.pass(ms)
  expect([calls.asked, answers, question.isOpen]).toEqual([3, [], true])
  question.want()
  await clock.pass(0)
  expect([calls.asked, answers, question.isOpen]).toEqual([4, ['answer'], false])
})

it('WantedRequest: renew() aborts the running request and sends it again', async () => {
  const clock = new HandClock()
  const answers: string[] = []
  const calls = { asked: 0 }
  const question = new WantedRequest(swallowing(1, calls), (answer) => answers.push(answer), clock)
  question.want()
  await clock.pass(1_500)
  question.renew()
  await clock.pass(0)
  expect([calls.asked, answers]).toEqual([2, ['answer']])
})

it('WantedRequest: renew() sends one request at once when none is running', async () => {
  const clock = new HandClock()
  const answers: string[] = []
  const calls = { asked: 0 }
  const question = new WantedRequest(swallowing(0, calls), (answer) => answers.push(answer), clock)
  question.renew()
  await clock.pass(0)
  expect([calls.asked, answers, question.isOpen]).toEqual([1, ['answer'], false])
  expect(clock.waiting).toBe(0)
})
