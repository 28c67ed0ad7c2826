import { assert } from '@settlewire/core/assert'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { Watched } from '../../ports/history.ts'
import type { OpenedPayment } from '../../ports/rescan.ts'
import type { Database } from '../database.ts'

const runMax = 2_000

/**
 * One statement, so that every open payment is read once. Its plan does not depend on statistics,
 * which are missing after a restore: the ids are read from the index of deadlines and sorted, then
 * the opening of each is looked up by its key.
 */
const statement = {
  name: 'watched',
  // Returns the whole evidence: PostgreSQL's operators cannot read every text that JSON may hold.
  text: `select p.id, p.livemode, (
      select e.evidence from event e where e.subject_id = p.id and e.sequence = 1
    ) as evidence
    from (
      select id, livemode from subject
      where kind = '${paymentKind.name}' and due_at is not null order by id offset 0
    ) as p`,
}

/** Passes what is watched for every open payment to `take`, oldest first, in runs. */
export const watched = (
  database: Database,
  take: (run: readonly Watched[]) => void,
): Promise<void> =>
  database.each<WatchedRow>(statement, runMax, (rows) => take(rows.map(watchedOf)))

/** The part of a payment's first event that a watch needs. */
export interface WatchedRow {
  readonly id: string
  readonly livemode: boolean
  readonly evidence: string
}

const watchedOf = (row: WatchedRow): Watched => watching(row, termsOf(row))

/** The same, with the end of the watch. */
export function openingOf(row: WatchedRow & { readonly is_over: boolean }): OpenedPayment {
  const terms = termsOf(row)
  return { ...watching(row, terms), monitorUntil: terms.monitorUntil, isOver: row.is_over }
}

/**
 * Parses only the terms. A starting process reads the openings of all open payments, and converting
 * each whole opening for core would take several times as long.
 */
function termsOf({ evidence }: WatchedRow): TermsText {
  const [opening] = (JSON.parse(evidence) as OpeningText).facts // as `evidenceText` wrote it
  assert(opening?.kind === 'opened', 'the first event opens the payment')
  return opening.terms
}

const watching = ({ id, livemode }: WatchedRow, { accept }: TermsText): Watched => ({
  paymentId: id,
  livemode,
  accept: accept.map(({ chain, address, token }) => ({ chain, address, token })),
})

type TermsText = Pick<OpenedPayment, 'accept' | 'monitorUntil'>

interface OpeningText {
  readonly facts: readonly {
    readonly kind: string
    readonly terms: TermsText
  }[]
}
