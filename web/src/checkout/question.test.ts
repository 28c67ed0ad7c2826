import { expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { Question } from './question.ts'

it('gives up what a silent network swallowed, and asks anew when the answer is wanted again', async () => {
  const clock = new ManualClock()
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
  await clock.advance(7_900)
  question.want()
  expect([asked, question.isOpen]).toEqual([1, true])
  await clock.advance(200)
  question.want()
  await clock.advance(0)
  expect([asked, answers, question.isOpen]).toEqual([2, ['answer'], false])
  expect(clock.waiting).toBe(0)
})
