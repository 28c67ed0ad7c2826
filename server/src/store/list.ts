import type { PaymentQuery } from '../ports.ts'
import type { Statement } from './database.ts'

/** Each filter and its condition; `?` is its value. */
const conditions = {
  status: 'status = ?',
  reference: 'reference = ?',
  txHash: 'id in (select payment_id from payment_transaction where tx_hash = ?)',
  address: 'id in (select payment_id from payment_address where address = ?)',
  cursor: 'id < ?',
} as const satisfies Partial<Record<keyof PaymentQuery, string>>

type Filter = keyof typeof conditions

/**
 * The page that a query asks for, and one more row, which tells that there is a next page. Every
 * combination of filters is a statement of its own: each gets the plan and the index it deserves.
 */
export function listStatement(query: PaymentQuery): { statement: Statement; values: unknown[] } {
  const values: unknown[] = [query.merchantId, query.livemode]
  const names: string[] = []
  let where = 'merchant_id = $1 and livemode = $2'
  for (const filter of Object.keys(conditions) as Filter[]) {
    // ^ the keys of a constant
    const value = query[filter]
    if (value === undefined) continue
    values.push(lowerIfHex(filter, value))
    names.push(filter)
    where += ` and ${conditions[filter].replace('?', `$${values.length}`)}`
  }
  values.push(query.limit + 1)
  const text = `select state from payment where ${where} order by id desc limit $${values.length}`
  return { statement: { name: `list ${names.join(' ')}`, text }, values }
}

/** Hashes and EVM addresses are stored in lower case; people paste them in any. */
const lowerIfHex = (filter: Filter, value: string): string =>
  (filter === 'txHash' || filter === 'address') && /^0x[0-9a-f]+$/i.test(value)
    ? value.toLowerCase()
    : value
