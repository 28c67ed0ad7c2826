import { statuses } from '@settlewire/core/status-model'
import type { PaymentQuery } from '../ports.ts'
import type { Statement } from './database.ts'

/** Each filter and its condition; `?` is its value. */
const conditions = {
  reference: 'p.reference = ?',
  txHash: 'p.id in (select payment_id from payment_transaction where tx_hash = ?)',
  address: 'p.id in (select payment_id from payment_address where address = ?)',
  cursor: 'p.id < ?',
} as const satisfies Partial<Record<keyof PaymentQuery, string>>

type Filter = keyof typeof conditions

/**
 * The page that a query asks for, and one more row, which tells that there is a next page. Every
 * combination of filters is a statement of its own: each gets the plan and the index it deserves.
 */
export function listStatement(query: PaymentQuery): { statement: Statement; values: unknown[] } {
  const { merchantId, livemode, status, limit } = query
  const values: unknown[] = [merchantId, livemode, limit + 1]
  const names: string[] = []
  let where = 'p.merchant_id = $1 and p.livemode = $2'
  for (const filter of Object.keys(conditions) as Filter[]) {
    // ^ the keys of a constant
    const value = query[filter]
    if (value === undefined) continue
    values.push(lowerIfHex(filter, value))
    names.push(filter)
    where += ` and ${conditions[filter].replace('?', `$${values.length}`)}`
  }
  const isNarrow = names.some((name) => name !== 'cursor')
  if (status !== undefined) values.push(status)
  const ids =
    status !== undefined
      ? page(`${where} and p.status = $${values.length}`)
      : isNarrow
        ? page(where)
        : everyStatus(where)
  const text = `select s.opening, s.state from (${ids}) as p
    join payment_state s on s.payment_id = p.id order by p.id desc`
  if (status !== undefined) names.push('status')
  return { statement: { name: `list ${names.join(' ')}`, text }, values }
}

const page = (where: string): string =>
  `select p.id from payment p where ${where} order by p.id desc limit $3`

/** The newest of every status, and of these the newest: one index serves lists with and without one. */
const everyStatus = (where: string): string => {
  const ofOne = page(`${where} and p.status = one.status`)
  return `select p.id from unnest('{${statuses.join(',')}}'::text[]) as one (status)
    cross join lateral (${ofOne}) as p order by p.id desc limit $3`
}

/** Hashes and EVM addresses are stored in lower case; people paste them in any. */
const lowerIfHex = (filter: Filter, value: string): string =>
  (filter === 'txHash' || filter === 'address') && /^0x[0-9a-f]+$/i.test(value)
    ? value.toLowerCase()
    : value
