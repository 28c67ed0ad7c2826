import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, type QueryResult } from 'pg'
import { systemClock } from '../../server/src/clock.ts'
import { silentLog } from '../../server/src/log.ts'
import { type EmbeddedPostgres, startEmbedded } from '../../server/src/store/embedded/embedded.ts'
import { migrate } from '../../server/src/store/migrate.ts'

export interface TestPostgres {
  /** The same after a restart. */
  readonly url: string
  readonly pid: number
  /** Its data directory. */
  readonly data: string
  /** Kills the server as a power cut would: nothing is told, nothing is written. */
  kill9(): Promise<void>
  /** Starts it again on the same data; ends it first when it still runs. */
  restart(more?: Readonly<Record<string, string>>): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

/** A server of the test's own, with a migrated database, to be killed and started again. */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<TestPostgres> {
  const home = await temporaryHome()
  const start = (more: Readonly<Record<string, string>> = {}): Promise<EmbeddedPostgres> =>
    startEmbedded({ home, clock: systemClock, log: silentLog, settings: { ...settings, ...more } })
  let server = await start()
  await migrate(server.url, { log: silentLog })
  return {
    url: server.url,
    data: join(home, 'postgres', 'data'),
    get pid() {
      return server.pid
    },
    async kill9() {
      process.kill(server.pid, 'SIGKILL')
      await server.exited
      await server.stop()
    },
    async restart(more) {
      await server.stop()
      server = await start(more)
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

/** Statements on a connection of its own, as the superuser; the rows of the last one. */
export async function queryAs<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const answer: QueryResult<Row> | QueryResult<Row>[] = await client.query<Row>(sql)
    return (Array.isArray(answer) ? answer.at(-1) : answer)?.rows ?? []
  } finally {
    await client.end()
  }
}

/** Statements whose rows nobody needs. */
export async function execute(url: string, sql: string): Promise<void> {
  await queryAs(url, sql)
}
