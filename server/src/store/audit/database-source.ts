import { Client } from 'pg'
import { nextTurn } from '../../clock.ts'
import { checkedUrl } from '../checked-url.ts'
import { asFailure } from '../sql-error.ts'
import {
  type AuditSource,
  isEverybody,
  type KeptPolicy,
  type Page,
  policyOf,
  type Row,
  type Scope,
  type SubjectTable,
  subjectTables,
  textOf,
} from './source.ts'

const subjectsPerPage = 500
const eventsPerRun = 2_000
/** The largest `integer`: behind all events of a subject. */
const sequenceMax = 2 ** 31 - 1
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

  async policies(): Promise<readonly KeptPolicy[]> {
    const rows = await this.#query('select version, body from policy order by version', [])
    return rows.map(policyOf)
  }

  async *pages(scope: Scope): AsyncIterable<Page> {
    let asked = ahead(this.#page(scope, ''))
    for (;;) {
      const { ids, rows, firstRun, stretch } = await asked
      const { until } = stretch
      let next: typeof asked | null = null
      const askNext = () => {
        if (until !== null) next ??= ahead(this.#page(scope, until))
        return next
      }
      yield { ids, rows, events: () => this.#events(stretch, firstRun, askNext) }
      const after = askNext()
      if (after === null) return
      asked = after
    }
  }

  /** Its first events are on their way. */
  async #page(scope: Scope, after: string) {
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

  /**
   * The next ids of the scope. For everybody they only say how far a page reaches: all that any table
   * holds up to there is read with it.
   */
  async #ids(scope: Scope, after: string): Promise<readonly string[]> {
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
      [...values, ...[after, subjectsPerPage]],
    )
    return rows.flatMap(({ id }) => id ?? [])
  }

  /** The next run, or the next page, is asked for while a run is looked at. */
  async *#events(
    stretch: Stretch,
    firstRun: Promise<readonly Row[]>,
    askNext: () => void,
  ): AsyncIterable<readonly Row[]> {
    let asked: Promise<readonly Row[]> | null = firstRun
    while (asked !== null) {
      const run: readonly Row[] = await asked
      const last = run.at(-1)
      const isLast = last === undefined || run.length < eventsPerRun
      asked = isLast
        ? null
        : ahead(this.#run(stretch, [last.subject_id ?? '', Number(last.sequence)]))
      if (isLast) askNext()
      for (let at = 0; at < run.length; at += eventsPerTurn) {
        yield run.slice(at, at + eventsPerTurn)
        await nextTurn()
      }
    }
  }

  #run(stretch: Stretch, after: readonly [string, number]): Promise<readonly Row[]> {
    // One lower bound: of two, PostgreSQL begins at the wrong one, and reads a page again for each run.
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

  async #rows(stretch: Stretch): Promise<Page['rows']> {
    const found: Partial<Record<SubjectTable, readonly Row[]>> = {}
    for (const [table, { owner, order }] of Object.entries(subjectTables)) {
      const by = [owner, ...order].join(', ')
      const { condition, values } = within(stretch, owner, 1)
      found[table as SubjectTable] = await this.#query(
        // ^ a key of the constant
        `select * from ${table} where ${condition} order by ${by}`,
        values,
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

/** What a page is of: of a scope its ids; of everybody all that lies behind `after`, up to `until`. */
interface Stretch {
  readonly after: string
  /** Null on the last page, which has no end. */
  readonly until: string | null
  readonly ids: readonly string[] | null
}

/** A stretch as a condition on the column that names the subject. Its values are numbered from `first`. */
function within({ after, until, ids }: Stretch, column: string, first: number) {
  if (ids !== null) return { condition: `${column} = any ($${first})`, values: [ids] }
  const from = `${column} > $${first}`
  if (until === null) return { condition: from, values: [after] }
  return { condition: `${from} and ${column} <= $${first + 1}`, values: [after, until] }
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
  return { values, where }
}
