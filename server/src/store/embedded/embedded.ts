import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { Client } from 'pg'
import { type Child, spawnSupervised } from '../../child.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import { asFailure } from '../sql-error.ts'
import { type Binaries, findBinaries } from './embedded-binaries.ts'
import { historyIsGone, type Place, preparePlace } from './embedded-place.ts'
import { type HomeLock, lockHome } from './home-lock.ts'
import { commandOf } from './process-birth.ts'

/** A PostgreSQL of our own: the real one, durable, on a socket that only we can open. */
export interface EmbeddedPostgres {
  /** Holds a password: never log it. */
  readonly url: string
  /** Of the postmaster. */
  readonly pid: number
  /** When it ended, by `stop` or by itself. Never rejects. */
  readonly exited: Promise<number | null>
  /** Ends it with everything written, and gives the directory back. */
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** The data directory of this installation (SETTLEWIRE_HOME). Made when it is not there. */
  readonly home: string
  readonly clock: Clock
  readonly log: Log
  /** The lock of the home, where the caller has it already; else it is taken here. */
  readonly lock?: HomeLock
  /** Further server settings, for tests: `{ max_connections: '200' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

export const databaseName = 'settlewire'
const startTimeoutMs = 120_000
const orphanTimeoutMs = 30_000
const pollMs = 5
const retryMs = 200
/** How much of a start's output is kept, to tell why it failed. */
const linesMax = 50

/** Said on the command line, so that a file in the data directory cannot weaken them. */
const durable = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' }
const quiet = {
  // Statements, values and details of errors are a payer's business, not the log's.
  // An error of a statement is told to those who sent it, with the values that it names.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_statement: 'none',
  logging_collector: 'off',
  log_destination: 'stderr',
}
const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/**
 * Starts the PostgreSQL of this home: makes its data at first, recovers it after a crash. Throws
 * `home_in_use` when another process has the home, `invalid_config` when none can run here.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const lock = options.lock ?? lockHome(options.home)
  try {
    const place = await preparePlace(options.home)
    const binaries = await findBinaries(place.user)
    const server = new Server({ ...options, place, binaries })
    if (!place.initialised) await server.initialise()
    await server.endOrphan()
    const child = await server.start()
    const stop = async (): Promise<void> => {
      await child.stop()
      await place.cleanUp()
      lock.release()
    }
    await ensureDatabase(place, options.home).catch(async (error: unknown) => {
      await stop()
      throw asFailure(error)
    })
    return { url: urlOf(place, databaseName), pid: child.pid, exited: child.exited, stop }
  } catch (error) {
    lock.release()
    throw error
  }
}

class Server {
  readonly #clock: Clock
  readonly #log: Log
  readonly #place: Place
  readonly #binaries: Binaries
  readonly #settings: Readonly<Record<string, string>>
  #lines: string[] = []

  constructor(options: EmbeddedOptions & { place: Place; binaries: Binaries }) {
    this.#clock = options.clock
    this.#log = options.log.child({ area: 'postgres' })
    this.#place = options.place
    this.#binaries = options.binaries
    this.#settings = options.settings ?? {}
  }

  /** All or nothing: the data gets its name when it is whole. */
  async initialise(): Promise<void> {
    const { draft, adopt } = await this.#place.draft()
    const child = await this.#spawn(this.#binaries.initdb, [
      `--pgdata=${draft.data}`,
      `--pwfile=${draft.passwordFile}`,
      `--username=${this.#place.superuser}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // The server's own rules, so that the order of texts does not change with the system.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      // The password is 192 random bits; stretching it would only slow every connection down.
      '--set=scram_iterations=1',
      '--no-instructions',
    ])
    const code = await child.exited
    if (code !== 0) throw this.#failed('initdb did not make a database', code)
    await adopt()
  }

  /**
   * A parent that was killed leaves a server that is ending, or one whose watcher was killed too.
   * The lock is ours, so whoever serves these data is nobody's any more.
   */
  async endOrphan(): Promise<void> {
    const pidFile = join(this.#place.data, 'postmaster.pid')
    const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0])
    if (!Number.isSafeInteger(pid) || pid <= 1) return
    const isOrphan = (): boolean => commandOf(pid).includes(this.#place.data)
    const deadline = this.#clock.now() + orphanTimeoutMs
    const signals = ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const
    for (let round = 0; isOrphan(); round++) {
      if (this.#clock.now() > deadline) {
        throw new Failure('home_in_use', `PostgreSQL process ${pid} does not end.`)
      }
      const signal = round % 500 === 0 ? signals[Math.min(2, round / 500)] : undefined
      if (signal !== undefined) {
        this.#log.info({ pid, signal }, 'ending a PostgreSQL that lost its parent')
        sendSignal(pid, signal)
      }
      await this.#clock.sleep(pollMs)
    }
    // Its number may be another process's by now, which PostgreSQL would mistake for a live server.
    await rm(pidFile, { force: true })
  }

  async start(): Promise<Child> {
    const deadline = this.#clock.now() + startTimeoutMs
    for (;;) {
      const child = await this.#spawn(this.#binaries.postgres, this.#arguments())
      const ended = await this.#ready(child, deadline)
      if (ended === null) return child
      // Workers of a killed server hold its memory until they have noticed; data are safe meanwhile.
      const occupied = this.#lines.some((line) => line.includes('shared memory block'))
      if (!occupied || this.#clock.now() > deadline) {
        throw this.#failed('PostgreSQL did not start', ended.code)
      }
      await this.#clock.sleep(retryMs)
    }
  }

  #arguments(): string[] {
    const settings = {
      listen_addresses: '',
      unix_socket_directories: this.#place.sockets,
      unix_socket_permissions: '0700',
      max_connections: '100',
      ...this.#settings,
      ...quiet,
      ...durable,
    }
    const pairs = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    return ['-D', this.#place.data, ...pairs]
  }

  /** Null once it takes connections; how it ended when it did. */
  async #ready(child: Child, deadline: number): Promise<{ code: number | null } | null> {
    let ended: { code: number | null } | null = null
    void child.exited.then((code) => {
      ended = { code }
    })
    while (ended === null) {
      const lines = await readFile(join(this.#place.data, 'postmaster.pid'), 'utf8').catch(() => '')
      const fields = lines.split('\n')
      // The file's eighth line is how pg_ctl knows it, in every language.
      if (Number(fields[0]) === child.pid && fields[7]?.trim() === 'ready') return null
      if (this.#clock.now() > deadline) {
        await child.stop()
        throw this.#failed('PostgreSQL did not become ready in time', null)
      }
      await this.#clock.sleep(pollMs)
    }
    return ended
  }

  #spawn(command: string, args: readonly string[]): Promise<Child> {
    const { user } = this.#place
    const lines: string[] = []
    this.#lines = lines
    return spawnSupervised({
      command,
      args,
      ...(user.other ? { uid: user.uid, gid: user.gid } : {}),
      cwd: '/',
      env: environment,
      stopSignal: 'SIGINT',
      stopSeconds: 20,
      onLine: (line) => {
        this.#log.debug({}, line)
        if (lines.length < linesMax) lines.push(line)
      },
    })
  }

  #failed(what: string, code: number | null): Failure {
    const said = new Error(this.#lines.slice(-8).join('\n'))
    return new Failure('store_unavailable', `${what} (exit code ${code ?? 'none'}).`, {
      cause: said,
    })
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone in the meantime, which is what was wanted.
  }
}

/** Where a database of this server is reached. Holds a password: never log it. */
export const urlOf = (
  place: Pick<Place, 'superuser' | 'password' | 'sockets'>,
  database: string,
): string => {
  const user = `${place.superuser}:${place.password}`
  return `postgresql://${user}@localhost/${database}?host=${encodeURIComponent(place.sockets)}`
}

async function ensureDatabase(place: Place, home: string): Promise<void> {
  const client = new Client({ connectionString: urlOf(place, 'postgres') })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [databaseName])
    if (found.rowCount === 0) {
      if (place.hasHistory) throw historyIsGone(`The database ${databaseName}`, home)
      await client.query(`create database ${databaseName}`)
    }
    if (!place.hasHistory) place.keepHistory()
  } finally {
    await client.end()
  }
}
