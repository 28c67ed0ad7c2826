/** A value with every bigint written as `{"$big":"…"}`: JSON that comes back as it went in. */
export type Plain<T> = T extends bigint
  ? { $big: string }
  : T extends readonly (infer Item)[]
    ? readonly Plain<Item>[]
    : T extends object
      ? { [Key in keyof T]: Plain<T[Key]> }
      : T

/** A key of the data that begins with `$` gets one more, so that no metadata can pose as a bigint. */
const escapeKey = (key: string): string => (key.startsWith('$') ? `$${key}` : key)
const unescapeKey = (key: string): string => (key.startsWith('$') ? key.slice(1) : key)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** Writes a value as JSON data; no key of the data can pose as a bigint. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return { $big: value.toString() }
  if (Array.isArray(value)) return value.map(plain)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [escapeKey(key), plain(member)]),
  )
}

/** The value that `plain` wrote. */
export function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive)
  if (!isObject(value)) return value
  if (typeof value.$big === 'string') return BigInt(value.$big)
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [unescapeKey(key), revive(member)]),
  )
}
