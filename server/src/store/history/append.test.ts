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

  /** Appends all steps of payments in one block; each batch has one event of each payment. */
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

  /** Autovacuum would make statistics at a moment of its own. */
  const withoutAutovacuum = `do $$ declare tab regclass; begin
    for tab in select relid from pg_stat_user_tables loop
      execute format('alter table %s set (autovacuum_enabled = false)', tab);
    end loop; end $$`

  it.each([
    // A new database has no statistics, so its plans are guesses.
    ['without statistics', 'select 1', 10],
    ['with statistics', 'vacuum analyze', 20],
  ])(
    'reads no rows of other payments in the same block, however many there are, %s',
    async (_, prepare, rowsPerEventMax) => {
      const read = 'select sum(idx_tup_read)::integer as n from pg_stat_user_indexes'
      await queryAs(database.url, withoutAutovacuum)
      await play(400)
      await queryAs(database.url, prepare)
      const before = await one(read)
      const events = await play(20)
      // For each event: its heads, the rows it changes, and their earlier versions.
      expect((await one(read)) - before).toBeLessThan(events * rowsPerEventMax)
    },
  )

  it.each([['transaction'], ['transfer']])(
    'updates many rows of %s in place, without writing to an index',
    async (table) => {
      await play(100)
      const share = `select n_tup_hot_upd::float / n_tup_upd as n from pg_stat_user_tables
        where relname = '${table}' and n_tup_upd > 0`
      // The share is lower while another transaction keeps old versions from being removed.
      expect(await one(share)).toBeGreaterThan(0.3)
    },
  )
})
