import type { Policy } from '@settlewire/core/payment/policy'
import { Client } from 'pg'
import { nextTurn } from '../../clock.ts'
import { checkedUrl } from '../checked-url.ts'
import { asFailure } from '../sql-error.ts'
import {
  type AuditSource,
  type Page,
  type Row,
  type Scope,
  type SubjectTable,
  subjectTables,
} from './source.ts'

const subjectsPerPage = 500
const eventsPerRun = 2_000
/** The client sends its next statement and takes in the answer between two turns of the event loop. */
const eventsPerTurn = 200

/**
 * The history of a database, in one transaction that reads it as it stood when it began: a server may
 * go on writing meanwhile. Whoever the URL names must be able to read all of it.
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
      // Every value as PostgreSQL prints it, as a dump has it too.
      types: { getTypeParser: () => (text: string) => text },
    })
    // Lost, the statement under way rejects; without a listener the process would end.
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query(`set time zone 'UTC'; set datestyle to 'ISO';
        set bytea_output to 'hex'; begin isolation level repeatable read read only`)
    } catch (error) {
      throw asFailure(error)
    }
    return new DatabaseSource(client)
  }

  async policies(): Promise<readonly Policy[]> {
    const rows = await this.#query('select body from policy', [])
    return rows.map(({ body }) => JSON.parse(body ?? '') as Policy) // as the store kept it
  }

  async *pages(scope: Scope): AsyncIterable<Page> {
    let asked = ahead(this.#page(scope, ''))
    for (;;) {
      const page = await asked
      const last = page?.ids.at(-1)
      if (page === null || last === undefined) return
      const { ids, rows, firstRun } = page
      let next: typeof asked | null = null
      const askNext = () => {
        next ??= ahead(this.#page(scope, last))
        return next
      }
      yield { ids, rows, events: () => this.#events(ids, firstRun, askNext) }
      asked = askNext()
    }
  }

  /** Null behind the last one. Its first events are on their way. */
  async #page(scope: Scope, after: string) {
    const ids = await this.#ids(scope, after)
    if (ids.length === 0) return null
    const rows = await this.#rows(ids)
    return { ids, rows, firstRun: ahead(this.#run(ids, ['', 0])) }
  }

  feeds(scope: Scope): Promise<readonly Row[]> {
    const { where, values } = filterOf(scope)
    return this.#query(
      `select merchant_id, livemode, position, seal from merchant_feed${where(' where')}`,
      values,
    )
  }

  close(): Promise<void> {
    return this.#client.end()
  }

  /** Every id that has an event or a row, also one that lacks the others. */
  async #ids(scope: Scope, after: string): Promise<readonly string[]> {
    const { where, values, isAll } = filterOf(scope)
    const [from, limit] = [`$${values.length + 1}`, `$${values.length + 2}`]
    const page = (column: string, table: string, more: string): string =>
      `(select ${column} as id from ${table} where ${column} > ${from}${more}
        order by ${column} limit ${limit})`
    const parts = [
      page('id', 'subject', where(' and')),
      page('subject_id', 'event', ` and sequence = 1${where(' and')}`),
      ...(isAll ? [page('subject_id', 'subject_state', '')] : []),
    ]
    const rows = await this.#query(`${parts.join(' union ')} order by 1 limit ${limit}`, [
      ...values,
      ...[after, subjectsPerPage],
    ])
    return rows.flatMap(({ id }) => id ?? [])
  }

  /** The next run, or the next page, is asked for while a run is looked at. */
  async *#events(
    ids: readonly string[],
    firstRun: Promise<readonly Row[]>,
    askNext: () => void,
  ): AsyncIterable<readonly Row[]> {
    let asked: Promise<readonly Row[]> | null = firstRun
    while (asked !== null) {
      const run: readonly Row[] = await asked
      const last = run.at(-1)
      const isLast = last === undefined || run.length < eventsPerRun
      asked = isLast ? null : ahead(this.#run(ids, [last.subject_id ?? '', Number(last.sequence)]))
      if (isLast) askNext()
      for (let at = 0; at < run.length; at += eventsPerTurn) {
        yield run.slice(at, at + eventsPerTurn)
        await nextTurn()
      }
    }
  }

  #run(ids: readonly string[], after: readonly [string, number]): Promise<readonly Row[]> {
    return this.#query(
      `select kind, subject_id, merchant_id, livemode, position, sequence, id, type, at, data,
        evidence, seal from event
       where subject_id = any ($1) and (subject_id, sequence) > ($2, $3)
       order by subject_id, sequence limit ${eventsPerRun}`,
      [ids, ...after],
    )
  }

  async #rows(ids: readonly string[]): Promise<Page['rows']> {
    const found: Partial<Record<SubjectTable, readonly Row[]>> = {}
    for (const [table, { owner, order }] of Object.entries(subjectTables)) {
      const by = [owner, ...order].join(', ')
      found[table as SubjectTable] = await this.#query(
        // ^ a key of the constant
        `select * from ${table} where ${owner} = any ($1) order by ${by}`,
        [ids],
      )
    }
    return found as Page['rows'] // every table was asked
  }

  async #query(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      const { rows } = await this.#client.query<Row>(text, [...values])
      return rows
    } catch (error) {
      throw asFailure(error)
    }
  }
}

/** An answer that is asked for early. Its error is thrown where it is awaited, and is no error where the walk ends before. */
function ahead<Value>(asked: Promise<Value>): Promise<Value> {
  asked.catch(() => undefined)
  return asked
}

/** A scope as conditions, and their values. */
function filterOf({ merchantId, livemode }: Scope) {
  const values: unknown[] = []
  const conditions: string[] = []
  if (merchantId !== undefined) conditions.push(`merchant_id = $${values.push(merchantId)}`)
  if (livemode !== undefined) conditions.push(`livemode = $${values.push(livemode)}`)
  const where = (word: string): string =>
    conditions.length === 0 ? '' : `${word} ${conditions.join(' and ')}`
  return { values, where, isAll: conditions.length === 0 }
}
