import type { Revival } from '@settlewire/core/history/subject-kind'
import type { SubjectQuery } from '../../ports/history.ts'
import type { Statement } from '../database.ts'

/** The stored state of a subject: its first event, its standing, and a part per transaction. */
export const subjectColumns = `s.subject_id as id, e.at as created_at, e.evidence, s.standing,
  (select coalesce('[' || string_agg(t.part, ',' order by t.chain, t.tx_hash) || ']', '[]')
    from transaction t where t.subject_id = s.subject_id) as parts`
export const subjectTables = `subject_state s
  join event e on e.subject_id = s.subject_id and e.sequence = 1`

/** The filters that match few payments, each with its own index; `?` is the value. */
const narrow = {
  reference: 'p.reference = ?',
  txHash: 'p.id in (select subject_id from transaction where tx_hash = any (?))',
  address: 'p.id in (select subject_id from subject_address where address = any (?))',
} as const satisfies Partial<Record<keyof SubjectQuery, string>>

type Narrow = keyof typeof narrow

/** Sorts after every id. */
const newest = '~'

/**
 * The page that a query asks for, plus one row that shows whether there is a next page. Every
 * combination of filters is its own statement, so that each gets its own plan and index.
 */
export function listStatement(
  { name: kind, statuses }: Revival<unknown>,
  query: SubjectQuery,
): { statement: Statement; values: unknown[] } {
  const { merchantId, livemode, status, cursor = newest, limit } = query
  const wantedStatuses = status === undefined ? statuses : [status]
  const values: unknown[] = [merchantId, livemode, limit + 1, cursor, wantedStatuses, kind]
  const names: string[] = []
  let where = 'p.merchant_id = $1 and p.livemode = $2 and p.kind = $6'
  for (const filter of Object.keys(narrow) as Narrow[]) {
    // ^ the keys of a constant
    const value = query[filter]
    if (value === undefined) continue
    values.push(value)
    names.push(filter)
    where += ` and ${narrow[filter].replace('?', `$${values.length}`)}`
  }
  const ids = names.length === 0 ? byStatus(where) : plainly(where)
  const text = `select ${subjectColumns} from (${ids}) as p
    join (${subjectTables}) on s.subject_id = p.id order by p.id desc`
  return { statement: { name: `list ${names.join(' ')}`, text }, values }
}

const plainly = (where: string): string =>
  `select p.id from subject p where ${where} and p.status = any ($5) and p.id < $4
    order by p.id desc limit $3`

/**
 * Takes the newest of each status, and of these the newest: one index serves lists with and without
 * a status. Range and order are written so that only this index fits; otherwise the planner walks
 * back through the subjects of all merchants until it has found enough of one kind.
 */
const byStatus = (where: string): string =>
  `select p.id from unnest($5::text[]) as one (status)
    cross join lateral (
      select p.id from subject p
      where ${where} and p.status >= one.status and (p.status, p.id) < (one.status, $4)
      order by p.status desc, p.id desc limit $3
    ) as p order by p.id desc limit $3`
