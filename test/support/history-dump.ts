import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execute, queryAs } from './postgres-server.ts'

const tables = [
  ...['event', 'subject', 'subject_state', 'subject_address', 'transaction', 'inclusion'],
  ...['transfer', 'merchant_feed', 'policy'],
]

/** A dump in the format of `pg_dump`, written by the server itself, so no `pg_dump` is needed. */
export async function dumpOf(url: string): Promise<{ path: string; remove: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'settlewire-dump-'))
  // The server may run as another user than this process.
  await chmod(directory, 0o777)
  const rows = await queryAs<{ table: string; columns: string }>(
    url,
    `select table_name as table,
       string_agg(quote_ident(column_name), ', ' order by ordinal_position) as columns
     from information_schema.columns where table_schema = 'public' group by table_name`,
  )
  const columnsOf = new Map(rows.map(({ table, columns }) => [table, columns]))
  const fileOf = (table: string): string => join(directory, table)
  const copies = tables.map(
    (table) => `copy ${table} (${columnsOf.get(table)}) to '${fileOf(table)}'`,
  )
  await execute(url, copies.join(';'))
  const parts = ["--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n"]
  for (const table of tables) {
    const lines = await readFile(fileOf(table), 'utf8')
    parts.push(`\nCOPY public.${table} (${columnsOf.get(table)}) FROM stdin;\n${lines}\\.\n\n`)
  }
  const path = join(directory, 'dump.sql')
  await writeFile(path, parts.join(''))
  return { path, remove: () => rm(directory, { recursive: true, force: true }) }
}
