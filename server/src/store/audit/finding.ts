import { type AuditRow, textOf } from './source.ts'

/** One inconsistency that an audit found. */
export interface AuditFinding {
  /**
   * What is inconsistent: an event with its position, a subject, one of its rows, a feed or a
   * policy.
   */
  readonly where: string
  readonly what: string
}

/** Names an event by its id, type, sequence and position. */
export function eventName(row: AuditRow): string {
  const mode = row.livemode === 't' ? 'live' : 'test'
  return (
    `event ${row.id}, ${row.type}, sequence ${row.sequence} of ${row.kind} ${row.subject_id}, ` +
    `position ${row.position} of ${row.merchant_id} (${mode})`
  )
}

/** Names a subject. */
export const subjectName = (kind: string | null | undefined, id: string): string =>
  kind ? `${kind} ${id}` : `subject ${id}`

/** Names a feed. */
export const feedName = (row: AuditRow): string =>
  `feed of ${textOf(row, 'merchant_id')} (${row.livemode === 't' ? 'live' : 'test'})`
