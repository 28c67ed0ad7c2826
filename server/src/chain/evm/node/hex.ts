/**
 * Parses the values in a node's answers. JSON-RPC encodes numbers in hex: a quantity becomes a
 * number only where it can never reach 2^53 (heights, indexes, times), else a bigint.
 */
import { Failure } from '@settlewire/core/errors'

const quantityForm = /^0x[0-9a-fA-F]{1,64}$/
const hashForm = /^0x[0-9a-fA-F]{64}$/
const addressForm = /^0x[0-9a-fA-F]{40}$/

/** A node's answer violates JSON-RPC. Asking again, or asking another node, may help. */
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

/** 20 bytes, in lower case; null for anything else. */
export const toAddress = (value: unknown): string | null =>
  typeof value === 'string' && addressForm.test(value) ? value.toLowerCase() : null

/** A count in JSON-RPC's form: hex without leading zeros. */
export const quantity = (count: number): string => `0x${count.toString(16)}`

/** The fields of an object, to be checked one by one; null for anything else. */
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? // Every field stays unknown: the cast claims nothing about its type.
      (value as Readonly<Record<string, unknown>>)
    : null
