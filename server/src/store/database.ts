import { type ClientBase, Pool, type PoolClient, type QueryResult, types } from 'pg'
import type { Log } from '../ports/log.ts'
import { checkedUrl } from './checked-url.ts'
import { asFailure, type Meaning, meaningOf, notDone } from './sql-error.ts'

/** A SQL statement, prepared once per connection under its name. */
export interface Statement {
  readonly name: string
  readonly text: string
}

export interface DatabaseOptions {
  /** Contains a password: never log it or put it into a message. */
  readonly url: string
  readonly log: Log
  /** Limit of connections. Further callers wait as long as for a new one, then fail. */
  readonly connectionsMax?: number
  readonly timeouts?: Timeouts
}

/** In milliseconds. */
interface Timeouts {
  readonly connect: number
  /** The server cancels a statement after this; the client closes the connection a little later. */
  readonly statement: number
  readonly lock: number
}

const connectionsMaxDefault = 10
const timeoutsDefault: Timeouts = { connect: 5_000, statement: 10_000, lock: 5_000 }
const answerGraceMs = 2_000
const idleMs = 30_000

/** The role of 0006_grants.sql, which may append to the history and never change it. */
const role = 'settlewire_app'

/**
 * Sets up a new connection in one round trip. These are no connection options, because poolers in
 * between refuse those. A confirmed commit is durable, whatever the server's default.
 */
const prepareSession = ({ statement, lock }: Timeouts): string => `
  select set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO', false),
    set_config('statement_timeout', '${statement}', false),
    set_config('lock_timeout', '${lock}', false),
    set_config('idle_in_transaction_session_timeout', '${statement}', false),
    set_config('synchronous_commit',
      case current_setting('synchronous_commit') when 'off' then 'on'
      else current_setting('synchronous_commit') end, false),
    (select set_config('role', rolname, false) from pg_roles
      where rolname = '${role}' and pg_has_role(rolname, 'member'))`

/** A bounded pool of prepared connections. Every error is translated by `asFailure`. */
export class Database {
  readonly #pool: Pool
  /** The value of `#losses` when a connection was made: with a lower value it is not used again. */
  readonly #madeAt = new WeakMap<ClientBase, number>()
  #losses = 0

  constructor(options: DatabaseOptions) {
    const timeouts = options.timeouts ?? timeoutsDefault
    this.#pool = new Pool({
      connectionString: checkedUrl(options.url),
      application_name: 'settlewire',
      max: options.connectionsMax ?? connectionsMaxDefault,
      connectionTimeoutMillis: timeouts.connect,
      idleTimeoutMillis: idleMs,
      query_timeout: timeouts.statement + answerGraceMs,
      keepAlive: true,
      types: { getTypeParser },
      onConnect: async (client) => {
        // The pool listens only while a connection is idle. If one is lost in use, its statement
        // rejects, and without a listener of our own the process would exit.
        client.on('error', () => undefined)
        this.#madeAt.set(client, this.#losses)
        await client.query(prepareSession(timeouts))
      },
    })
    // An idle connection that dies is replaced when it is next needed. One that dies while it is
    // closed is no loss: the embedded server may end it first.
    this.#pool.on('error', (error) => {
      if (this.#pool.ending) return
      options.log.warn({ area: 'store', error: error.message }, 'lost an idle database connection')
    })
  }

  /**
   * Runs one statement in its own transaction. Rejects with `store_unavailable`, or with a bug. A
   * statement that a server refused because of its own state is retried once on a new connection.
   */
  async query<Row extends object>(
    statement: Statement,
    values: readonly unknown[],
  ): Promise<Row[]> {
    try {
      return await this.#send<Row>(statement, values)
    } catch (error) {
      if (meaningOf(error)?.mayRepeat !== true) throw asFailure(error)
    }
    return this.#send<Row>(statement, values).catch((error: unknown) => {
      throw asFailure(error)
    })
  }

  async #send<Row extends object>(
    { name, text }: Statement,
    values: readonly unknown[],
  ): Promise<Row[]> {
    const client = await this.#connect()
    try {
      const { rows } = await client.query<Row>({ name, text, values: [...values] })
      client.release()
      return rows
    } catch (error) {
      this.#release(client, meaningOf(error)?.connections ?? 'keep')
      throw error
    }
  }

  /** Releases a connection after an error. */
  #release(client: PoolClient, connections: Meaning['connections']): void {
    // Many connections may fail at once: count only the first of one generation as a loss.
    const isNews = this.#madeAt.get(client) === this.#losses
    if (connections === 'drop_all' && isNews) this.#losses++
    client.release(connections !== 'keep')
  }

  /**
   * Passes the rows of one statement to `take` in runs of at most `rowsMax`, all from one snapshot.
   * The server reads the next run while `take` handles this one. The text has no parameters.
   */
  async each<Row extends object>(
    { name, text }: Statement,
    rowsMax: number,
    take: (rows: Row[]) => void,
  ): Promise<void> {
    const client = await this.#connect()
    try {
      await client.query(`begin read only; declare ${name} no scroll cursor for ${text}`)
      const next = (): Promise<QueryResult<Row>> =>
        client.query<Row>(`fetch ${rowsMax} from ${name}`)
      let coming = next()
      for (;;) {
        const { rows } = await coming
        const isLast = rows.length < rowsMax
        if (!isLast) {
          coming = next()
          // It is awaited only if `take` does not throw.
          coming.catch(() => undefined)
        }
        take(rows)
        if (isLast) break
      }
      await client.query('commit')
      client.release()
    } catch (error) {
      const { connections = 'keep' } = meaningOf(error) ?? {}
      // A connection inside a transaction must not go back to the pool.
      this.#release(client, connections === 'keep' ? 'drop' : connections)
      throw asFailure(error)
    }
  }

  /** Returns the first row, or null. */
  async one<Row extends object>(
    statement: Statement,
    values: readonly unknown[],
  ): Promise<Row | null> {
    return (await this.query<Row>(statement, values))[0] ?? null
  }

  /** Waits for running statements, then closes every connection. */
  async close(): Promise<void> {
    await this.#pool.end()
  }

  async #connect(): Promise<PoolClient> {
    for (;;) {
      const client = await this.#pool.connect().catch((cause: unknown) => {
        throw notDone('unreachable', cause)
      })
      if (this.#madeAt.get(client) === this.#losses) return client
      // It leads to a server that has ended or is read-only by now. Their number is bounded.
      client.release(true)
    }
  }
}

const int8 = 20
const json = 114
const timestamptz = 1184

/** Counters become numbers (all are far below 2^53), instants milliseconds, json stays text. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (oid === int8) return Number
  if (oid === json) return asIs
  if (oid === timestamptz) return parseInstant
  return types.getTypeParser(oid, format as 'text') // pg requests text unless told to use binary
}

const asIs = (text: string): string => text

/** Parses `2026-01-02 03:04:05.678+00`, as `prepareSession` makes the server print it. */
const parseInstant = (text: string): number =>
  Date.parse(`${text.slice(0, 10)}T${text.slice(11).replace(/\+00$/, 'Z')}`)
