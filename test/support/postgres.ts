import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { inject } from 'vitest'
import { systemClock } from '../../server/src/clock.ts'
import { silentLog } from '../../server/src/log.ts'
import { type EmbeddedPostgres, startEmbedded } from '../../server/src/store/embedded.ts'
import { migrate } from '../../server/src/store/migrate.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The superuser's URL of this run's server. */
    readonly postgresUrl: string
  }
}

/** A migrated database that is copied for each test. */
export const templateName = 'settlewire_template'

export interface TestDatabase {
  readonly url: string
  /** Drops it, whoever is still connected. */
  close(): Promise<void>
}

/** A fresh database with the schema in it, on the one server of this test run. */
export async function testDatabase(): Promise<TestDatabase> {
  return createDatabase(templateName)
}

/** A fresh database with nothing in it. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return createDatabase('template0')
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const admin = inject('postgresUrl')
  const name = `test_${randomBytes(8).toString('hex')}`
  await execute(admin, `create database ${name} template ${template}`)
  return {
    url: withDatabase(admin, name),
    close: () => execute(admin, `drop database if exists ${name} with (force)`),
  }
}

export interface TestPostgres {
  /** The same after a restart. */
  readonly url: string
  readonly pid: number
  /** Kills the server as a power cut would: nothing is told, nothing is written. */
  kill9(): Promise<void>
  /** Starts it again on the same data; ends it first when it still runs. */
  restart(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

/** A server of the test's own, with a migrated database, to be killed and started again. */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<TestPostgres> {
  const home = await temporaryHome()
  const start = (): Promise<EmbeddedPostgres> =>
    startEmbedded({ home, clock: systemClock, log: silentLog, settings })
  let server = await start()
  await migrate(server.url, { log: silentLog })
  return {
    url: server.url,
    get pid() {
      return server.pid
    },
    async kill9() {
      process.kill(server.pid, 'SIGKILL')
      await server.exited
      await server.stop()
    },
    async restart() {
      await server.stop()
      server = await start()
    },
    async stop() {
      await server.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** A directory that every user can reach, as PostgreSQL's must when the tests run as root. */
export async function temporaryHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'settlewire-test-'))
  await chmod(home, 0o755)
  return home
}

/** The same server, another database. */
export function withDatabase(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.href
}

/** One statement on a connection of its own. */
export async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
