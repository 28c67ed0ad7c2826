import { Failure } from '@settlewire/core/errors'
import { Client } from 'pg'
import { nextTurn } from '../../clock.ts'
import { checkedUrl } from '../checked-url.ts'
import { asFailure } from '../sql-error.ts'
import {
  type AuditPage,
  type AuditRow,
  type AuditScope,
  type AuditSource,
  isEverybody,
  type KeptPolicy,
  policyOf,
  type SubjectTable,
  subjectTables,
  textOf,
} from './source.ts'

const subjectsPerPage = 500
const eventsPerRun = 2_000
/** The largest `integer`, greater than any sequence of a subject. */
const sequenceMax = 2 ** 31 - 1
/** After this many events the walk yields, so that the client can send and receive. */
const eventsPerTurn = 200

const emptyDatabase = (): Failure =>
  new Failure(
    'invalid_config',
    'This database has no history. Set DATABASE_URL to the database of the server.',
  )

/**
 * Reads the history of a database in one read-only transaction, as of its start: a server may go on
 * writing meanwhile. The role in the URL must be allowed to read all of it.
 */
export class DatabaseSource implements AuditSource {
  readonly #client: Client

  private constructor(client: Client) {
    this.#client = client
  }

  static async open(url: string): Promise<DatabaseSource> {
    const client = new Client({
      connectionString: checkedUrl(url),
      application_name: 'settlewire audit',
      // Keep every value as the text that PostgreSQL prints, which is also what a dump holds.
      types: { getTypeParser: () => (text: string) => text },
    })
    // If the connection is lost, the running query rejects; without a listener the process exits.
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query(`set time zone 'UTC'; set datestyle to 'ISO';
        set bytea_output to 'hex'; begin isolation level repeatable read read only`)
      const { rows } = await client.query<{ is: string | null }>(
        `select to_regclass('event')::text as is`,
      )
      if (rows[0]?.is === null) throw emptyDatabase()
    } catch (error) {
      await client.end().catch(() => undefined)
      throw error instanceof Failure ? error : asFailure(error)
    }
    return new DatabaseSource(client)
  }

  async policies(): Promise<readonly KeptPolicy[]> {
    const rows = await this.#query('select version, body from policy order by version', [])
    return rows.map(policyOf)
  }

  async *pages(scope: AuditScope): AsyncIterable<AuditPage> {
    let page = ahead(this.#page(scope, ''))
    for (;;) {
      const { ids, rows, firstRun, stretch } = await page
      const { until } = stretch
      let next: typeof page | null = null
      const startNext = () => {
        if (until !== null) next ??= ahead(this.#page(scope, until))
        return next
      }
      yield { ids, rows, events: () => this.#events(stretch, firstRun, startNext) }
      const after = startNext()
      if (after === null) return
      page = after
    }
  }

  /** Also starts the query for the first events of the page. */
  async #page(scope: AuditScope, after: string) {
    const named = await this.#ids(scope, after)
    const until = named.length < subjectsPerPage ? null : (named.at(-1) ?? null)
    const stretch = { after, until, ids: isEverybody(scope) ? null : named }
    const rows = await this.#rows(stretch)
    const owners = Object.entries(subjectTables).flatMap(([table, { owner }]) =>
      // ^ a key of the constant
      rows[table as SubjectTable].map((row) => textOf(row, owner)),
    )
    const ids = [...new Set([...named, ...owners])].sort()
    return { ids, rows, stretch, firstRun: ahead(this.#run(stretch, [after, sequenceMax])) }
  }

  feeds(scope: AuditScope): Promise<readonly AuditRow[]> {
    const { where, values } = filterOf(scope)
    return this.#query(
      `select merchant_id, livemode, position, seal from merchant_feed${where(' where')}`,
      values,
    )
  }

  close(): Promise<void> {
    return this.#client.end()
  }

  /**
   * The next ids of the scope. Without a scope they only delimit the page, which then includes
   * every id that any table holds in that range.
   */
  async #ids(scope: AuditScope, after: string): Promise<readonly string[]> {
    const { where, values } = filterOf(scope)
    const [from, limit] = [`$${values.length + 1}`, `$${values.length + 2}`]
    const page = (column: string, table: string, more: string): string =>
      `(select ${column} as id from ${table} where ${column} > ${from}${more}
        order by ${column} limit ${limit})`
    const parts = [
      page('id', 'subject', where(' and')),
      ...(isEverybody(scope)
        ? []
        : [page('subject_id', 'event', ` and sequence = 1${where(' and')}`)]),
    ]
    const rows = await this.#query(
      `select id from (${parts.join(' union ')}) as named order by 1 limit ${limit}`,
      [...values, after, subjectsPerPage],
    )
    return rows.flatMap(({ id }) => id ?? [])
  }

  /** Requests the next run, or the next page, while the caller checks the current run. */
  async *#events(
    stretch: Stretch,
    firstRun: Promise<readonly AuditRow[]>,
    startNext: () => void,
  ): AsyncIterable<readonly AuditRow[]> {
    let next: Promise<readonly AuditRow[]> | null = firstRun
    while (next !== null) {
      const run: readonly AuditRow[] = await next
      const last = run.at(-1)
      const isLast = last === undefined || run.length < eventsPerRun
      next = isLast
        ? null
        : ahead(this.#run(stretch, [last.subject_id ?? '', Number(last.sequence)]))
      if (isLast) startNext()
      for (let at = 0; at < run.length; at += eventsPerTurn) {
        yield run.slice(at, at + eventsPerTurn)
        await nextTurn()
      }
    }
  }

  #run(stretch: Stretch, after: readonly [string, number]): Promise<readonly AuditRow[]> {
    // One lower bound: with two, PostgreSQL picks the wrong one and rereads a page for each run.
    const isOf = stretch.ids === null ? 'subject_id <= $3' : 'subject_id = any ($3)'
    const end = stretch.ids ?? stretch.until
    return this.#query(
      `select kind, subject_id, merchant_id, livemode, position, sequence, id, type, at, data,
        evidence, seal from event
       where (subject_id, sequence) > ($1, $2)${end === null ? '' : ` and ${isOf}`}
       order by subject_id, sequence limit ${eventsPerRun}`,
      [...after, ...(end === null ? [] : [end])],
    )
  }

  async #rows(stretch: Stretch): Promise<AuditPage['rows']> {
    const found: Partial<Record<SubjectTable, readonly AuditRow[]>> = {}
    for (const [table, { owner, order }] of Object.entries(subjectTables)) {
      const by = [owner, ...order].join(', ')
      const { condition, values } = within(stretch, owner, 1)
      found[table as SubjectTable] = await this.#query(
        // ^ a key of the constant
        `select * from ${table} where ${condition} order by ${by}`,
        values,
      )
    }
    return found as AuditPage['rows'] // every table was read
  }

  async #query(text: string, values: readonly unknown[]): Promise<readonly AuditRow[]> {
    try {
      const { rows } = await this.#client.query<AuditRow>(text, [...values])
      return rows
    } catch (error) {
      throw asFailure(error)
    }
  }
}

/** The range of a page. In a scope: its ids. Without one: all ids after `after` up to `until`. */
interface Stretch {
  readonly after: string
  /** Null on the last page, which is open-ended. */
  readonly until: string | null
  readonly ids: readonly string[] | null
}

/** A stretch as a condition on the subject column. Its values are numbered from `first`. */
function within({ after, until, ids }: Stretch, column: string, first: number) {
  if (ids !== null) return { condition: `${column} = any ($${first})`, values: [ids] }
  const from = `${column} > $${first}`
  if (until === null) return { condition: from, values: [after] }
  return { condition: `${from} and ${column} <= $${first + 1}`, values: [after, until] }
}

/**
 * Marks a promise that is created before it is awaited: `await` still throws its error, but a walk
 * that ends before that leaves no unhandled rejection.
 */
function ahead<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => undefined)
  return promise
}

/** A scope as SQL conditions and their values. */
function filterOf({ merchantId, livemode }: AuditScope) {
  const values: unknown[] = []
  const conditions: string[] = []
  if (merchantId !== undefined) conditions.push(`merchant_id = $${values.push(merchantId)}`)
  if (livemode !== undefined) conditions.push(`livemode = $${values.push(livemode)}`)
  const where = (keyword: string): string =>
    conditions.length === 0 ? '' : `${keyword} ${conditions.join(' and ')}`
  return { values, where }
}
