import { performance } from 'node:perf_hooks'
import { Client } from 'pg'

/** What the last event of a payment writes: new rows, and rows that replace older ones. */
const inserted = ['event', 'transaction', 'inclusion', 'transfer']
const updated = ['subject_state', 'subject']
const rounds = 40
const coldRounds = 8

const keyOf = (table: string): string => (table === 'subject' ? 'id' : 'subject_id')

/**
 * Milliseconds to write again what the last event of each of the newest `count` payments wrote: the
 * same rows, by one plain statement per table in one transaction, into empty copies of the tables.
 * The rows are already in the database, so nothing is decided, sealed, encoded or sent.
 */
export async function sameRowsMs(url: string, count: number): Promise<readonly number[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await copyRows(client, count)
    const statement = await statementOf(client)
    const times: number[] = []
    for (let round = 0; round < rounds; round++) {
      for (const table of inserted) await client.query(`truncate copy.${table}`)
      const startedAt = performance.now()
      await client.query(statement)
      times.push(performance.now() - startedAt)
    }
    return times.slice(coldRounds)
  } finally {
    await client.end()
  }
}

async function copyRows(client: Client, count: number): Promise<void> {
  const newest = `select subject_id from event group by subject_id
    order by max(position) desc limit ${count}`
  await client.query('create schema copy')
  for (const table of [...inserted, ...updated]) {
    const isLast =
      table === 'event'
        ? 'and sequence = (select max(sequence) from event e where e.subject_id = t.subject_id)'
        : ''
    await client.query(`create table copy.${table} (like ${table} including all)`)
    await client.query(
      `create temp table row_${table} as
        select * from ${table} t where ${keyOf(table)} in (${newest}) ${isLast}`,
    )
  }
  for (const table of updated) {
    await client.query(`insert into copy.${table} select * from row_${table}`)
  }
}

async function statementOf(client: Client): Promise<string> {
  const inserts = inserted.map((table) => `insert into copy.${table} select * from row_${table}`)
  const updates = updated.map(async (table) => {
    const key = keyOf(table)
    const { rows } = await client.query<{ name: string }>(
      `select column_name as name from information_schema.columns
        where table_schema = 'copy' and table_name = '${table}' and column_name <> '${key}'`,
    )
    const columns = rows.map(({ name }) => `${name} = r.${name}`).join()
    return `update copy.${table} c set ${columns} from row_${table} r where r.${key} = c.${key}`
  })
  return ['begin', ...inserts, ...(await Promise.all(updates)), 'commit'].join(';')
}
