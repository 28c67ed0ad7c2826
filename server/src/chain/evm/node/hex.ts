/**
 * The edge where a node's words become values. JSON-RPC counts in hex: what is a quantity becomes a
 * number only where 2^53 is out of reach by nature (heights, indexes, times), else a bigint.
 */
import { Failure } from '@settlewire/core/errors'

const quantityForm = /^0x[0-9a-fA-F]{1,64}$/
const hashForm = /^0x[0-9a-fA-F]{64}$/
const addressForm = /^0x[0-9a-fA-F]{40}$/

/** A node said something that is not in its contract. Asking again, or another node, may help. */
export const malformed = (what: string): Failure =>
  new Failure('chain_unavailable', `The node answered with a malformed ${what}.`)

/** Any hex quantity up to 256 bits. */
export function toBigInt(quantity: unknown, what: string): bigint {
  if (!isQuantity(quantity)) throw malformed(what)
  return BigInt(quantity)
}

export const isQuantity = (value: unknown): value is string =>
  typeof value === 'string' && quantityForm.test(value)

/** A hex quantity that counts blocks, logs or seconds. */
export function toCount(quantity: unknown, what: string): number {
  const count = Number(toBigInt(quantity, what))
  if (!Number.isSafeInteger(count)) throw malformed(what)
  return count
}

/** 32 bytes, in lower case. */
export function toHash(value: unknown, what: string): string {
  if (!isHash(value)) throw malformed(what)
  return value.toLowerCase()
}

export const isHash = (value: unknown): value is string =>
  typeof value === 'string' && hashForm.test(value)

/** 20 bytes, in lower case; null when it is not that. */
export const toAddress = (value: unknown): string | null =>
  typeof value === 'string' && addressForm.test(value) ? value.toLowerCase() : null

/** A count as JSON-RPC wants it: no leading zeros. */
export const quantity = (count: number): string => `0x${count.toString(16)}`

/** An object's fields, to be checked one by one; null when it is no object. */
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? // Every field stays unknown: nothing is claimed but that it can be asked for.
      (value as Readonly<Record<string, unknown>>)
    : null
