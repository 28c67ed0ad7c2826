import type { SubjectKind } from '@settlewire/core/history/subject'
import { type Instant, toRfc3339 } from '@settlewire/core/instant'
import type { Due, DueQuery, EndedWatch } from '../../ports/history.ts'
import type { Fence } from '../../ports/processes.ts'
import { arrayOf } from '../binary-array.ts'
import type { Database } from '../database.ts'

/** Sorts before every row: no deadline is that old, and no id that small. */
const beforeAll: Due = { dueAt: 0, subjectId: '' }

/** Deadlines that have come, in the order of the index, after a given row. */
export async function due(
  database: Database,
  { kind, now, limit, after }: DueQuery,
): Promise<readonly Due[]> {
  const { dueAt, subjectId } = after ?? beforeAll
  const rows = await database.query<{ id: string; due_at: number }>(
    {
      name: 'due',
      text: `select id, due_at from subject
        where kind = $5 and due_at <= $1
          and (due_at, id) > ($3, $4) order by due_at, id limit $2`,
    },
    [toRfc3339(now), limit, toRfc3339(dueAt), subjectId, kind],
  )
  return rows.map(({ id, due_at }) => ({ subjectId: id, dueAt: due_at }))
}

/** The first deadline of a kind after a given row. */
export async function nextDue(
  database: Database,
  kind: SubjectKind,
  after: Due | null,
): Promise<Instant | null> {
  const { dueAt, subjectId } = after ?? beforeAll
  const row = await database.one<{ due_at: number }>(
    {
      name: 'next_due',
      text: `select due_at from subject
        where kind = $3 and due_at is not null
          and (due_at, id) > ($1, $2) order by due_at, id limit 1`,
    },
    [toRfc3339(dueAt), subjectId, kind],
  )
  return row?.due_at ?? null
}

/**
 * Ends the watch of subjects whose sequence has not changed since they were judged: without a
 * deadline (`due_at`) a subject is not watched. Returns their ids; changes nothing without these
 * leases.
 */
export async function release(
  database: Database,
  ended: readonly EndedWatch[],
  fences: readonly Fence[],
): Promise<readonly string[]> {
  const rows = await database.query<{ id: string }>(
    {
      name: 'release',
      // Takes the same locks in the same order as an append, so that the two never deadlock. The
      // sequence is compared under the lock: an append that waits for it comes after.
      text: `with fenced as materialized (
          select from settlewire_fence($3::json)
        ), ended as (
          select * from unnest($1::text[], $2::integer[]) as n (id, sequence)
        ), locked as materialized (
          select subject_id, sequence from subject_state
          where subject_id = any ($1::text[]) and exists (select from fenced)
          order by subject_id for no key update
        ), stands as (
          select l.subject_id from locked l
          join ended n on n.id = l.subject_id and n.sequence = l.sequence
        ), released as (
          update subject p set due_at = null from stands s
          where p.id = s.subject_id and p.due_at is not null
        )
        select subject_id as id from stands`,
    },
    [
      arrayOf.text(ended.map(({ paymentId }) => paymentId)),
      arrayOf.integer(ended.map(({ sequence }) => sequence)),
      JSON.stringify(fences),
    ],
  )
  return rows.map(({ id }) => id)
}
