import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bornAt } from '../../../../test/support/payments.ts'
import {
  connectionsEnded,
  queryAs,
  type TestDatabase,
  testDatabase,
} from '../../../../test/support/postgres.ts'
import { ScriptedPayment } from '../../../../test/support/scripted-payments.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { openStore } from '../open.ts'

describe('an append', () => {
  let database: TestDatabase

  beforeEach(async () => {
    database = await testDatabase()
  })

  afterEach(() => database.close())

  /** All steps of payments whose transactions are in one block, a batch of one event of each at a time. */
  async function play(count: number): Promise<number> {
    const { url } = database
    const store = openStore({ url, clock: systemClock, log: silentLog })
    const payments = Array.from(
      { length: count },
      (_, i) => new ScriptedPayment({ bornAt: bornAt + i }),
    )
    await store.events.append({ appends: payments.map((payment) => payment.opening()) })
    while (payments[0]?.goesOn) {
      await store.events.append({ appends: payments.map((payment) => payment.step()) })
    }
    await store.close()
    await connectionsEnded(url)
    return payments.reduce((sum, { events }) => sum + events.length, 0)
  }

  const one = async (sql: string): Promise<number> =>
    (await queryAs<{ n: number }>(database.url, sql))[0]?.n ?? Number.NaN

  it('reads no rows of other payments, however many are in the same block', async () => {
    const read = 'select sum(idx_tup_read)::integer as n from pg_stat_user_indexes'
    await play(400)
    // The server has not looked at its tables yet, so that its plans are guesses.
    const before = await one(read)
    const events = await play(20)
    // Of each event its heads, and what it changes, the versions before it included.
    expect((await one(read)) - before).toBeLessThan(events * 10)
  })

  it.each([['transaction'], ['transfer']])(
    'changes many rows of %s in place, without touching an index',
    async (table) => {
      await play(100)
      const share = `select n_tup_hot_upd::float / n_tup_upd as n from pg_stat_user_tables
        where relname = '${table}' and n_tup_upd > 0`
      // Fewer while something else keeps old versions from being removed.
      expect(await one(share)).toBeGreaterThan(0.3)
    },
  )
})
