import { type Instant, toRfc3339 } from '@settlewire/core/instant'
import type { IdempotentResult } from '../../ports/history.ts'
import type { Database } from '../database.ts'

interface IdempotencyRow {
  readonly request_hash: string
  readonly status: number
  readonly payment_id: string
  readonly sequence: number
  readonly told: string | null
  readonly created_at: number
}

/** The stored answer to an idempotency key, or null. */
export async function idempotent(
  database: Database,
  scope: Pick<IdempotentResult, 'merchantId' | 'livemode' | 'key'>,
): Promise<IdempotentResult | null> {
  const row = await database.one<IdempotencyRow>(
    {
      name: 'idempotent',
      text: `select request_hash, status, payment_id, sequence, told, created_at
        from idempotency_key where merchant_id = $1 and livemode = $2 and key = $3`,
    },
    [scope.merchantId, scope.livemode, scope.key],
  )
  return (
    row && {
      ...scope,
      requestHash: row.request_hash,
      status: row.status,
      paymentId: row.payment_id,
      sequence: row.sequence,
      body: row.told,
      at: row.created_at,
    }
  )
}

/** Deletes the oldest answers from before an instant. Several processes may do so at once. */
export async function forgetAnswers(
  database: Database,
  before: Instant,
  limit: number,
): Promise<number> {
  const rows = await database.query<{ gone: number }>(
    {
      name: 'forget_answers',
      // By `ctid`: with a join, each call read a large part of the table.
      text: `with gone as (
          delete from idempotency_key where ctid = any (array(
            select ctid from idempotency_key where created_at < $1
            order by created_at limit $2 for update skip locked
          )) returning 1
        )
        select count(*)::integer as gone from gone`,
    },
    [toRfc3339(before), limit],
  )
  return rows[0]?.gone ?? 0
}
