import { expect, it } from 'vitest'
import { bornAt } from '../../../../test/support/payments.ts'
import { connectionsEnded, queryAs, testDatabase } from '../../../../test/support/postgres.ts'
import { ScriptedPayment } from '../../../../test/support/scripted-payments.ts'
import { watchedIn } from '../../../../test/support/watched-in.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { openStore } from '../open.ts'

/** More than one run of rows. */
const openMax = 2_500

it('reads the opening of each open payment exactly once, over several runs', async () => {
  const { url, close } = await testDatabase()
  const open = () => openStore({ url, clock: systemClock, log: silentLog })
  const payments = Array.from(
    { length: openMax },
    (_, i) => new ScriptedPayment({ bornAt: bornAt + i }),
  )
  const writer = open()
  await writer.events.append({ appends: payments.map((payment) => payment.opening()) })
  await writer.close()
  await connectionsEnded(url)
  const read = async (): Promise<number> => {
    const [row] = await queryAs<{ fetched: number }>(
      url,
      `select idx_tup_fetch::integer as fetched from pg_stat_user_tables where relname = 'event'`,
    )
    return row?.fetched ?? 0
  }
  const before = await read()
  const reader = open()
  const found = await watchedIn(reader.events)
  await reader.close()
  await connectionsEnded(url)
  expect(found.map(({ paymentId }) => paymentId)).toEqual(payments.map(({ id }) => id))
  expect((await read()) - before).toBe(openMax)
  await close()
})
