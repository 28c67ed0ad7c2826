import type { Policy } from '@settlewire/core/policy'
import { Client } from 'pg'
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
    let after = ''
    for (;;) {
      const ids = await this.#ids(scope, after)
      const last = ids.at(-1)
      if (last === undefined) return
      yield { ids, events: () => this.#events(ids), rows: await this.#rows(ids) }
      after = last
    }
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

  /** The next run is asked for while the last one is looked at. */
  async *#events(ids: readonly string[]): AsyncIterable<readonly Row[]> {
    let asked: Promise<readonly Row[]> | null = this.#run(ids, ['', 0])
    while (asked !== null) {
      const run: readonly Row[] = await asked
      const last = run.at(-1)
      const isLast = last === undefined || run.length < eventsPerRun
      asked = isLast ? null : this.#run(ids, [last.subject_id ?? '', Number(last.sequence)])
      yield run
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
