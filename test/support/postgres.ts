import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'
import { execute, queryAs, withDatabase } from './postgres-server.ts'

export { queryAs, startPostgres, type TestPostgres } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The superuser's URL of this run's server. */
    readonly postgresUrl: string
  }
}

/** A migrated database that is copied for each test. */
export const templateName = 'settlewire_template'

export interface TestDatabase {
  readonly name: string
  readonly url: string
  /** Drops it, even while clients are connected. */
  close(): Promise<void>
}

/** A new database with the schema, on the one server of this test run. */
export async function testDatabase(): Promise<TestDatabase> {
  return createDatabase(templateName)
}

/** A new, empty database. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return createDatabase('template0')
}

/** Resolves when no other client is connected: then the server's statistics are complete. */
export async function connectionsEnded(url: string): Promise<void> {
  const others = `select count(*)::integer as count from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend'
      and pid <> pg_backend_pid()`
  while ((await queryAs<{ count: number }>(url, others))[0]?.count !== 0) await sleep(10)
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const admin = inject('postgresUrl')
  const name = `test_${randomBytes(8).toString('hex')}`
  await execute(admin, `create database ${name} template ${template}`)
  return {
    name,
    url: withDatabase(admin, name),
    close: () => execute(admin, `drop database if exists ${name} with (force)`),
  }
}
