import { performance } from 'node:perf_hooks'
import type { Database } from '../../server/src/store/database.ts'

export const bareTable = `create table bare_event (
  id bigint generated always as identity primary key, payment_id text, data json, evidence json)`

/** Inserts as many rows as a block with hits adds events, with texts of the same length. */
export async function bareMs(database: Database, rows: number): Promise<number> {
  const text = JSON.stringify({ text: 'x'.repeat(700) })
  const values = Array.from({ length: rows }, (_, i) => [`pi_${i}`, text, text]).flat()
  const places = Array.from(
    { length: rows },
    (_, i) => `($${i * 3 + 1}, $${i * 3 + 2}, $${i * 3 + 3})`,
  )
  const startedAt = performance.now()
  await database.query(
    {
      name: `bare${rows}`,
      text: `insert into bare_event (payment_id, data, evidence) values ${places.join()}`,
    },
    values,
  )
  return performance.now() - startedAt
}
