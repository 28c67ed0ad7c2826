import { describe, expect, it } from 'vitest'
import { FeedChecker } from '../../../test/support/feed-checker.ts'
import { NaiveHistory } from '../../../test/support/naive-history.ts'
import { testDatabase } from '../../../test/support/postgres.ts'
import { ScriptedPayment } from '../../../test/support/scripted-payments.ts'
import { storeUnderTest } from '../../../test/support/store-under-test.ts'
import { feedOf, readAlong } from './contract-writers.ts'

describe('the checker that the writers are held to', () => {
  it('finds what a history with an identity column loses', async () => {
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
          acknowledged.push(...stored.map(({ event }) => event.id))
        }
      }
    }
    const [follower] = await readAlong(
      [feedOf(naive, 'mer_test')],
      Promise.all(Array.from({ length: 16 }, write)),
    )
    follower?.expect(acknowledged)
    const problems = follower?.problems ?? []
    expect(problems.filter((problem) => problem.includes('never seen'))).not.toEqual([])
    expect(problems.filter((problem) => problem.startsWith('position'))).not.toEqual([])

    // The events are all there: who reads afterwards sees nothing wrong, so only a race can tell.
    const [late] = await readAlong([feedOf(naive, 'mer_test')], Promise.resolve())
    late?.expect(acknowledged)
    expect(late?.problems).toEqual([])
    await naive.close()
    await database.close()
  }, 60_000)

  it('finds a gap, a repetition, a break in the chain and a changed event', async () => {
    const store = await storeUnderTest()
    const payment = new ScriptedPayment()
    const stored = await store.node().append({ appends: [payment.whole()] })
    await store.close()
    const [first, second, third] = stored
    if (!first || !second || !third) throw new Error('the payment is too short')
    const problemsOf = (...events: typeof stored) => {
      const checker = new FeedChecker()
      for (const event of events) checker.see(event)
      return checker.problems.join('; ')
    }
    expect(problemsOf(...stored)).toBe('')
    expect(problemsOf(first, third)).toMatch(/position 3 follows 1.*sequence 1 to 3.*chained to/)
    expect(problemsOf(first, first)).toMatch(/position 1 follows 1.*comes twice/)
    expect(problemsOf(first, { ...second, prevHash: second.hash })).toMatch(
      /chained to something else.*not what was sealed/,
    )
    const forged = second.dataJson.replace('"150.00"', '"0.01"')
    expect(problemsOf(first, { ...second, dataJson: forged })).toMatch(/not what was sealed/)
  })
})
