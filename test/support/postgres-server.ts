import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, type QueryResult } from 'pg'
import { systemClock } from '../../server/src/clock.ts'
import { silentLog } from '../../server/src/log.ts'
import { type EmbeddedPostgres, startEmbedded } from '../../server/src/store/embedded/embedded.ts'
import { migrate } from '../../server/src/store/migrate.ts'

export interface TestPostgres {
  /** Stays the same after a restart. */
  readonly url: string
  readonly pid: number
  /** The data directory. */
  readonly data: string
  /** Kills the server like a power cut: no client is notified, nothing is flushed. */
  kill9(): Promise<void>
  /** Starts it again on the same data; stops it first if it is running. */
  restart(more?: Readonly<Record<string, string>>): Promise<void>
  /** Stops it and removes its data. */
  stop(): Promise<void>
}

/** A separate server with a migrated database, which a test may kill and restart. */
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
      const path = `/proc/${server.pid}/task/${server.pid}/children`
      const backends = (await readFile(path, 'utf8')).trim().split(' ').map(Number)
      process.kill(server.pid, 'SIGKILL')
      await server.exited
      // A backend that has not noticed yet still answers.
      const isLeft = (): boolean => backends.some((pid) => existsSync(`/proc/${pid}`))
      for (let waitedMs = 0; isLeft() && waitedMs < 5_000; waitedMs++) await systemClock.sleep(1)
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

/** A directory that every user can access, which PostgreSQL needs when the tests run as root. */
export async function temporaryHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'settlewire-test-'))
  await chmod(home, 0o755)
  return home
}

/** The URL of another database on the same server. */
export function withDatabase(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.href
}

/** Runs statements as the superuser on a new connection; returns the rows of the last one. */
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

/** Runs statements and ignores their rows. */
export async function execute(url: string, sql: string): Promise<void> {
  await queryAs(url, sql)
}
