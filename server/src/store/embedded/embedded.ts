import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { Client } from 'pg'
import { type Child, spawnSupervised } from '../../child.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import { asFailure } from '../sql-error.ts'
import { type Binaries, findBinaries } from './embedded-binaries.ts'
import { type EmbeddedPlace, historyIsGone, preparePlace } from './embedded-place.ts'
import { type HomeLock, lockHome } from './home-lock.ts'
import { commandOf } from './process-birth.ts'

/** A real, durable PostgreSQL server, on a socket that only its user can open. */
export interface EmbeddedPostgres {
  /** Contains a password: never log it. */
  readonly url: string
  /** The process id of the postmaster. */
  readonly pid: number
  /** Resolves when the server has ended, by `stop` or by itself. Never rejects. */
  readonly exited: Promise<number | null>
  /** Shuts the server down cleanly and releases the lock of the home. */
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** The data directory of this installation (SETTLEWIRE_HOME). Created if it does not exist. */
  readonly home: string
  readonly clock: Clock
  readonly log: Log
  /** The lock of the home if the caller holds it already; otherwise it is taken here. */
  readonly lock?: HomeLock
  /** Further server settings, for tests: `{ max_connections: '200' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

export const databaseName = 'settlewire'
const startTimeoutMs = 120_000
const orphanTimeoutMs = 30_000
const pollMs = 5
const retryMs = 200
/** Lines of output kept per start, for the error message if it fails. */
const linesMax = 50

/** Set on the command line, so that a file in the data directory cannot weaken these settings. */
const durable = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' }
const quiet = {
  // Statements and their values are a payer's private data and must not get into the log. The
  // client that sent a failing statement still receives the error with its details.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_statement: 'none',
  logging_collector: 'off',
  log_destination: 'stderr',
}
const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/**
 * Starts the PostgreSQL of this home: creates its data the first time, recovers it after a crash.
 * Throws `home_in_use` if another process uses the home, `invalid_config` if it cannot run here or
 * its history is missing, and `store_unavailable` if it does not start.
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
  readonly #place: EmbeddedPlace
  readonly #binaries: Binaries
  readonly #settings: Readonly<Record<string, string>>
  #lines: string[] = []

  constructor(options: EmbeddedOptions & { place: EmbeddedPlace; binaries: Binaries }) {
    this.#clock = options.clock
    this.#log = options.log.child({ area: 'postgres' })
    this.#place = options.place
    this.#binaries = options.binaries
    this.#settings = options.settings ?? {}
  }

  /** Atomic: the data directory gets its name only when it is complete. */
  async initialise(): Promise<void> {
    const { draft, adopt } = await this.#place.draft()
    const child = await this.#spawn(this.#binaries.initdb, [
      `--pgdata=${draft.data}`,
      `--pwfile=${draft.passwordFile}`,
      `--username=${this.#place.superuser}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // PostgreSQL's built-in locale, so that the sort order does not depend on the system.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      // The password has 192 random bits; more iterations would only slow down every connection.
      '--set=scram_iterations=1',
      '--no-instructions',
    ])
    const code = await child.exited
    if (code !== 0) throw this.#failed('initdb could not create a database', code)
    await adopt()
  }

  /**
   * Stops a server left by a killed parent: it may still be ending, or its watcher was killed too.
   * This process holds the lock, so any server on these data has no parent.
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
        throw new Failure(
          'home_in_use',
          `PostgreSQL process ${pid} of an earlier start does not end.`,
        )
      }
      const signal = round % 500 === 0 ? signals[Math.min(2, round / 500)] : undefined
      if (signal !== undefined) {
        this.#log.info({ pid, signal }, 'stopping an orphaned PostgreSQL server')
        sendSignal(pid, signal)
      }
      await this.#clock.sleep(pollMs)
    }
    // Another process may have this pid by now, and PostgreSQL would take it for a live server.
    await rm(pidFile, { force: true })
  }

  async start(): Promise<Child> {
    const deadline = this.#clock.now() + startTimeoutMs
    for (;;) {
      const child = await this.#spawn(this.#binaries.postgres, this.#arguments())
      const ended = await this.#ready(child, deadline)
      if (ended === null) return child
      // Workers of a killed server hold its shared memory until they exit; the data is safe.
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

  /** Null once the server accepts connections; the exit code if it ended before that. */
  async #ready(child: Child, deadline: number): Promise<{ code: number | null } | null> {
    let ended: { code: number | null } | null = null
    void child.exited.then((code) => {
      ended = { code }
    })
    while (ended === null) {
      const lines = await readFile(join(this.#place.data, 'postmaster.pid'), 'utf8').catch(() => '')
      const fields = lines.split('\n')
      // The eighth line tells the state, as pg_ctl reads it, independent of the language.
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
    const output = new Error(this.#lines.slice(-8).join('\n'))
    return new Failure('store_unavailable', `${what} (exit code ${code ?? 'none'}).`, {
      cause: output,
    })
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has exited meanwhile, which was the goal.
  }
}

/** The URL of a database of this server. Contains a password: never log it. */
export const urlOf = (
  place: Pick<EmbeddedPlace, 'superuser' | 'password' | 'sockets'>,
  database: string,
): string => {
  const user = `${place.superuser}:${place.password}`
  return `postgresql://${user}@localhost/${database}?host=${encodeURIComponent(place.sockets)}`
}

async function ensureDatabase(place: EmbeddedPlace, home: string): Promise<void> {
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
