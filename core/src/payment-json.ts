import type { Evidence } from './event.ts'
import type { Payment } from './payment.ts'

/** A value with every bigint written as `{"$big":"…"}`: JSON that comes back as it went in. */
type Written<T> = T extends bigint
  ? { $big: string }
  : T extends readonly (infer Item)[]
    ? readonly Written<Item>[]
    : T extends object
      ? { [Key in keyof T]: Written<T[Key]> }
      : T

/** A key of the data that begins with `$` gets one more, so that no metadata can pose as a bigint. */
const escapeKey = (key: string): string => (key.startsWith('$') ? `$${key}` : key)
const unescapeKey = (key: string): string => (key.startsWith('$') ? key.slice(1) : key)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

function write(value: unknown): unknown {
  if (typeof value === 'bigint') return { $big: value.toString() }
  if (Array.isArray(value)) return value.map(write)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [escapeKey(key), write(member)]),
  )
}

function read(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(read)
  if (!isObject(value)) return value
  if (typeof value.$big === 'string') return BigInt(value.$big)
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [unescapeKey(key), read(member)]),
  )
}

/** The JSON form of a payment, for its projection row. */
export const paymentToJson = (payment: Payment): Written<Payment> =>
  write(payment) as Written<Payment> // `write` is the definition of `Written`

/** The payment that `paymentToJson` wrote. The row is ours and was never outside: it is trusted. */
export const paymentFromJson = (json: unknown): Payment => read(json) as Payment // see above

/** The JSON form of an event's evidence. */
export const evidenceToJson = (evidence: Evidence): Written<Evidence> =>
  write(evidence) as Written<Evidence> // as for payments

/** The evidence that `evidenceToJson` wrote. */
export const evidenceFromJson = (json: unknown): Evidence => read(json) as Evidence // as for payments
