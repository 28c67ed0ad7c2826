import { type Row, textOf } from './source.ts'

/** Something that does not hold. */
export interface Finding {
  /** What it is about: an event with its place, or a row of a subject. */
  readonly where: string
  readonly what: string
}

/** An event, by all that tells it apart. */
export function eventName(row: Row): string {
  const mode = row.livemode === 't' ? 'live' : 'test'
  return (
    `event ${row.id}, ${row.type}, sequence ${row.sequence} of ${row.kind} ${row.subject_id}, ` +
    `position ${row.position} of ${row.merchant_id} (${mode})`
  )
}

/** A subject, by its row or its first event. */
export const subjectName = (kind: string | null | undefined, id: string): string =>
  kind ? `${kind} ${id}` : `subject ${id}`

/** A feed. */
export const feedName = (row: Row): string =>
  `feed of ${textOf(row, 'merchant_id')} (${row.livemode === 't' ? 'live' : 'test'})`
