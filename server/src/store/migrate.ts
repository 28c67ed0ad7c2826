import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Failure } from '@settlewire/core/errors'
import { Client } from 'pg'
import type { Log } from '../ports/log.ts'
import { checkedUrl } from './checked-url.ts'
import { asFailure, sqlState } from './sql-error.ts'

/** A lock number that no other program of this database uses: "settlew" in ASCII. */
const lockKey = '32479637594956151'
const connectTimeoutMs = 10_000
/** Another process may be migrating, and a migration of a large table takes time. */
const statementTimeoutMs = 300_000

const migrationsDirectory = fileURLToPath(new URL('../../migrations', import.meta.url))

interface Migration {
  readonly number: number
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

export interface MigrateOptions {
  readonly log: Log
  readonly directory?: string
  /** `check`: changes nothing, and throws `invalid_config` if a migration is missing. */
  readonly only?: 'check'
}

/**
 * Migrates a database to the schema of this program, forward only. Each file is applied in its own
 * transaction, and several processes wait for each other. Throws `invalid_config` if the database
 * has a migration that this program lacks, if one was edited after it had been applied, or if the
 * database or its rights do not allow what a start needs.
 */
export async function migrate(url: string, options: MigrateOptions): Promise<{ applied: number }> {
  const migrations = await readMigrations(options.directory ?? migrationsDirectory)
  const client = new Client({
    connectionString: checkedUrl(url),
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    application_name: 'settlewire migrate',
  })
  // Without a listener a lost connection would exit the process; the running query rejects anyway.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select pg_advisory_lock($1)', [lockKey])
    if (options.only !== 'check') await client.query(createTable)
    const known = await readApplied(client)
    check(migrations, known)
    if (options.only === 'check' && known.length < migrations.length) throw olderThanThis()
    for (const migration of migrations.slice(known.length)) {
      await apply(client, migration)
      options.log.info({ area: 'store', migration: migration.name }, 'applied a migration')
    }
    await checkRole(client)
    return { applied: migrations.length - known.length }
  } catch (error) {
    throw asRefusal(error) ?? asFailure(error)
  } finally {
    // The lock ends with the connection.
    await client.end().catch(() => undefined)
  }
}

/** By SQLSTATE: what the owner of the database must do before the server can start. */
const missing: Readonly<Record<string, string>> = {
  '42501':
    'The user of DATABASE_URL lacks rights that a start needs. Run as the owner of the database: GRANT CREATE, USAGE ON SCHEMA public TO that user. If the tables belong to another user, start as that user, or use an empty database of its own.',
  '3F000':
    'The user of DATABASE_URL has no schema to work in: its search_path names none that it may use. Run as the owner of the database: GRANT CREATE, USAGE ON SCHEMA public TO that user.',
  '25006':
    'The database is read-only: it is a standby, or default_transaction_read_only is on. Point DATABASE_URL to the primary, or turn that setting off.',
  '0A000':
    'The database lacks a feature that Settlewire needs. Use a PostgreSQL version that is still maintained.',
}

function asRefusal(cause: unknown): Failure | null {
  const message = missing[sqlState(cause) ?? '']
  return message === undefined ? null : new Failure('invalid_config', message, { cause })
}

/** Connections switch to the role of 0006_grants.sql, which must be able to use the schema. */
async function checkRole(client: Client): Promise<void> {
  const { rows } = await client.query<{ role: string; schema: string }>(`
    select rolname as role, current_schema() as schema from pg_roles
    where rolname = 'settlewire_app' and pg_has_role(rolname, 'member')
      and not has_schema_privilege(rolname, current_schema(), 'usage')`)
  const [closed] = rows
  if (closed === undefined) return
  throw new Failure(
    'invalid_config',
    `The role ${closed.role} may not use the schema ${closed.schema}. Run as its owner: GRANT USAGE ON SCHEMA ${closed.schema} TO ${closed.role}.`,
  )
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => /^\d{4}_.+\.sql$/.test(name)).sort()
  const migrations = await Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(directory, name), 'utf8')
      const checksum = createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex')
      return { number: Number(name.slice(0, 4)), name, sql, checksum }
    }),
  )
  const gap = migrations.find(({ number }, index) => number !== index + 1)
  if (gap !== undefined) throw new Failure('internal', `${gap.name} is out of sequence.`)
  return migrations
}

const createTable = `create table if not exists schema_migration (
  number integer primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
)`

const olderThanThis = (): Failure =>
  new Failure(
    'invalid_config',
    'The database is empty or older than this program. Start this version of the server on it once.',
  )

type Applied = Pick<Migration, 'number' | 'name' | 'checksum'>

async function readApplied(client: Client): Promise<Applied[]> {
  const { rows: there } = await client.query<{ is: boolean }>(
    `select to_regclass('schema_migration') is not null as is`,
  )
  if (there[0]?.is !== true) return []
  const { rows } = await client.query<Applied>(
    'select number, name, checksum from schema_migration order by number',
  )
  return rows
}

function check(migrations: readonly Migration[], known: readonly Applied[]): void {
  for (const [index, { name, checksum }] of known.entries()) {
    const file = migrations[index]
    if (file === undefined) {
      throw new Failure(
        'invalid_config',
        `The database was migrated by a newer version (${name}). Run that version.`,
      )
    }
    if (file.name !== name || file.checksum !== checksum) {
      throw new Failure(
        'invalid_config',
        `Migration ${file.name} differs from the one applied as ${name}: another build created the database. Run that build, or start over with an empty database or data directory.`,
      )
    }
  }
}

async function apply(client: Client, { number, name, sql, checksum }: Migration): Promise<void> {
  await client.query('begin')
  try {
    await client.query(sql)
    await client.query(
      'insert into schema_migration (number, name, checksum) values ($1, $2, $3)',
      [number, name, checksum],
    )
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}
