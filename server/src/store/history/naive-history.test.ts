import { describe, expect, it } from 'vitest'
import { FeedChecker, sealProblems } from '../../../../test/support/feed-checker.ts'
import { NaiveHistory } from '../../../../test/support/naive-history.ts'
import { testDatabase } from '../../../../test/support/postgres.ts'
import { ScriptedPayment } from '../../../../test/support/scripted-payments.ts'
import { storeUnderTest } from '../../../../test/support/store-under-test.ts'
import { feedOf, readAlong } from '../contract-writers.ts'

describe('the feed checker of the contract for writers', () => {
  it('detects events that readers miss in a history with an identity column', async () => {
    const database = await testDatabase()
    const naive = new NaiveHistory(database.url)
    await naive.setUp()
    const acknowledged: string[] = []
    const write = async (): Promise<void> => {
      for (let group = 0; group < 5; group++) {
        const payments = Array.from({ length: 4 }, () => new ScriptedPayment())
        for (let step = 0; step < 6; step++) {
          const appends = payments.map((payment) =>
            step === 0 ? payment.opening() : payment.step(),
          )
          const stored = await naive.append({ appends })
          acknowledged.push(...stored.map(({ id }) => id))
        }
      }
    }
    const [follower] = await readAlong(
      [feedOf(naive, 'mer_test')],
      Promise.all(Array.from({ length: 16 }, write)),
    )
    follower?.expect(acknowledged)
    const problems = follower?.problems ?? []
    expect(problems.filter((problem) => problem.includes('is not in the feed'))).not.toEqual([])
    expect(problems.filter((problem) => problem.startsWith('position'))).not.toEqual([])

    // All events are stored: a later reader finds no fault, so only a concurrent one can.
    const [late] = await readAlong([feedOf(naive, 'mer_test')], Promise.resolve())
    late?.expect(acknowledged)
    expect(late?.problems).toEqual([])
    await naive.close()
    await database.close()
  }, 60_000)

  it('detects a gap, a repetition, a broken chain of seals and a changed event', async () => {
    const store = await storeUnderTest()
    const payment = new ScriptedPayment()
    const stored = await store.node().append({ appends: [payment.whole()] })
    const sealed = await store.node().history(payment.id, 0, 100)
    await store.close()
    const [first, second, third] = stored
    if (!first || !second || !third) throw new Error('the payment is too short')
    const problemsOf = (...events: typeof stored) => {
      const checker = new FeedChecker()
      for (const event of events) checker.see(event)
      return checker.problems.join('; ')
    }
    expect(problemsOf(...stored)).toBe('')
    expect(problemsOf(first, third)).toMatch(/position 3 follows 1.*sequence 1 to 3/)
    expect(problemsOf(first, first)).toMatch(/position 1 follows 1.*comes twice/)
    expect(sealProblems(sealed)).toEqual([])
    expect(sealProblems(sealed.filter(({ sequence }) => sequence !== 2))).toEqual([
      `${third.id} does not match its seal`,
    ])
    const forged = sealed.map((event) =>
      event.sequence === 2
        ? { ...event, dataJson: event.dataJson.replace('"150.00"', '"0.01"') }
        : event,
    )
    expect(sealProblems(forged)).toEqual([`${second.id} does not match its seal`])
  })
})
