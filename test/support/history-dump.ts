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
  const parts = ["--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n"]
  for (const table of tables) {
    const [row] = await queryAs<{ columns: string }>(
      url,
      `select string_agg(quote_ident(column_name), ', ' order by ordinal_position) as columns
       from information_schema.columns where table_name = '${table}' and table_schema = 'public'`,
    )
    const file = join(directory, table)
    await execute(url, `copy ${table} (${row?.columns}) to '${file}'`)
    const lines = await readFile(file, 'utf8')
    parts.push(`\nCOPY public.${table} (${row?.columns}) FROM stdin;\n${lines}\\.\n\n`)
  }
  const path = join(directory, 'dump.sql')
  await writeFile(path, parts.join(''))
  return { path, remove: () => rm(directory, { recursive: true, force: true }) }
}
