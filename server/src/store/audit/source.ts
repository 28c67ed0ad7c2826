import type { Policy } from '@settlewire/core/payment/policy'

/** A row as PostgreSQL prints it: a text or null for each column, in a dump as from a server. */
export type AuditRow = Readonly<Record<string, string | null>>

/** The tables whose rows belong to one subject: the column that names it, and the sort order. */
export const subjectTables = {
  subject: { owner: 'id', order: [] },
  subject_state: { owner: 'subject_id', order: [] },
  subject_address: { owner: 'subject_id', order: ['address'] },
  transaction: { owner: 'subject_id', order: ['chain', 'tx_hash'] },
  inclusion: { owner: 'subject_id', order: ['chain', 'tx_hash', 'block_hash'] },
  transfer: { owner: 'subject_id', order: ['chain', 'tx_hash', 'n'] },
} as const satisfies Record<string, { owner: string; order: readonly string[] }>

/** One of these tables. */
export type SubjectTable = keyof typeof subjectTables

/** No row of any of these tables, to be filled. */
export const emptyRows = (): Record<SubjectTable, AuditRow[]> => ({
  subject: [],
  subject_state: [],
  subject_address: [],
  transaction: [],
  inclusion: [],
  transfer: [],
})

/** All events and all rows of some subjects. */
export interface AuditPage {
  /** Subjects that have a row. `events` may also return events of other subjects. */
  readonly ids: readonly string[]
  /** In runs of bounded length, by subject and sequence. */
  readonly events: () => AsyncIterable<readonly AuditRow[]>
  readonly rows: Readonly<Record<SubjectTable, readonly AuditRow[]>>
}

/** Whose subjects are audited. A field that is left out does not restrict. */
export interface AuditScope {
  readonly merchantId?: string
  readonly livemode?: boolean
}

/** Rules as the database stores them. */
export interface KeptPolicy {
  /** The version that events refer to. */
  readonly version: string
  readonly policy: Policy
}

/** A history to audit, as of one moment. */
export interface AuditSource {
  policies(): Promise<readonly KeptPolicy[]>
  /**
   * All subjects of the scope. Each page is sorted by id; only a database also sorts its pages.
   * Without a scope: every subject that any of the tables or any event names. With a scope: those
   * whose row of `subject` or first event belongs to it.
   */
  pages(scope: AuditScope): AsyncIterable<AuditPage>
  /** The feeds of the scope: merchant, mode, last position and seal. */
  feeds(scope: AuditScope): Promise<readonly AuditRow[]>
  close(): Promise<void>
}

/** Reads a column that must not be null. */
export function textOf(row: AuditRow, column: string): string {
  const text = row[column]
  if (text === null || text === undefined) throw new TypeError(`${column} is missing`)
  return text
}

/** Reads `t` or `f`, as PostgreSQL prints a boolean. */
export const booleanOf = (row: AuditRow, column: string): boolean => textOf(row, column) === 't'

/** Reads a time as PostgreSQL prints it, with any zone offset: `2026-01-02 03:04:05.678+00`. */
export function instantOf(row: AuditRow, column: string): number {
  const text = textOf(row, column)
  if (text.endsWith('+00')) return Date.parse(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`)
  const [, date, time, zone = ''] = printed.exec(text) ?? []
  const minutes = zone.length === 3 ? ':00' : ''
  return Date.parse(`${date}T${time}${zone}${minutes}`)
}

const printed = /^(\S+) ([^+-]+)([+-]\d\d(?::\d\d)?)?$/

/** Whether the scope includes all merchants and modes. */
export const isEverybody = ({ merchantId, livemode }: AuditScope): boolean =>
  merchantId === undefined && livemode === undefined

/** Parses the rules in a row of `policy`. */
export const policyOf = (row: AuditRow): KeptPolicy => ({
  version: textOf(row, 'version'),
  policy: JSON.parse(textOf(row, 'body')) as Policy, // as the store kept it
})

/** Whether a row belongs to the scope. */
export const isWithin = (row: AuditRow, { merchantId, livemode }: AuditScope): boolean =>
  (merchantId === undefined || row.merchant_id === merchantId) &&
  (livemode === undefined || booleanOf(row, 'livemode') === livemode)
