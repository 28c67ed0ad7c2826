import type { Policy } from '@settlewire/core/payment/policy'

/** A row as PostgreSQL prints it, a text or null for each column: so a dump and a server read alike. */
export type Row = Readonly<Record<string, string | null>>

/** The tables whose rows belong to one subject, with the column that names it and their order. */
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

/** Some subjects, whole: all their events, by subject and sequence, and all their rows. */
export interface Page {
  /** Subjects that have a row. There may be events of others. */
  readonly ids: readonly string[]
  /** In runs of bounded length, by subject and sequence. */
  readonly events: () => AsyncIterable<readonly Row[]>
  readonly rows: Readonly<Record<SubjectTable, readonly Row[]>>
}

/** Whose subjects are walked. Left out: everybody's. */
export interface Scope {
  readonly merchantId?: string
  readonly livemode?: boolean
}

/** Rules as the database keeps them. */
export interface KeptPolicy {
  /** What events name them by. */
  readonly version: string
  readonly policy: Policy
}

/** Where a history is read from, as it stood at one moment. */
export interface AuditSource {
  policies(): Promise<readonly KeptPolicy[]>
  /**
   * All subjects of the scope, in the order of their ids. Without a scope this is everything that any of
   * the tables, or any event, names a subject of. Within one it is what a row of `subject` or a first
   * event gives to the merchant.
   */
  pages(scope: Scope): AsyncIterable<Page>
  /** The feeds of the scope: merchant, mode, last position and seal. */
  feeds(scope: Scope): Promise<readonly Row[]>
  close(): Promise<void>
}

/** A column that may not be empty. */
export function textOf(row: Row, column: string): string {
  const text = row[column]
  if (text === null || text === undefined) throw new TypeError(`${column} is missing`)
  return text
}

/** `t` or `f`, as PostgreSQL prints it. */
export const booleanOf = (row: Row, column: string): boolean => textOf(row, column) === 't'

/** A time that PostgreSQL printed in UTC, or with the zone of the dump: `2026-01-02 03:04:05.678+00`. */
export function instantOf(row: Row, column: string): number {
  const text = textOf(row, column)
  if (text.endsWith('+00')) return Date.parse(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`)
  const [, date, time, zone = ''] = printed.exec(text) ?? []
  const minutes = zone.length === 3 ? ':00' : ''
  return Date.parse(`${date}T${time}${zone}${minutes}`)
}

const printed = /^(\S+) ([^+-]+)([+-]\d\d(?::\d\d)?)?$/

/** Whether everybody's subjects are meant. */
export const isEverybody = ({ merchantId, livemode }: Scope): boolean =>
  merchantId === undefined && livemode === undefined

/** Rules from a row of `policy`. */
export const policyOf = (row: Row): KeptPolicy => ({
  version: textOf(row, 'version'),
  policy: JSON.parse(textOf(row, 'body')) as Policy, // as the store kept it
})

/** Whether a row is of the scope. */
export const isWithin = (row: Row, { merchantId, livemode }: Scope): boolean =>
  (merchantId === undefined || row.merchant_id === merchantId) &&
  (livemode === undefined || booleanOf(row, 'livemode') === livemode)
