/** A value with every bigint written as `{"$big":"…"}`: JSON that `revive` restores exactly. */
export type Plain<T> = T extends bigint
  ? { $big: string }
  : T extends readonly (infer Item)[]
    ? readonly Plain<Item>[]
    : T extends object
      ? { [Key in keyof T]: Plain<T[Key]> }
      : T

/** A data key that begins with `$` gets one more `$`, so that no metadata can pose as a bigint. */
const escapeKey = (key: string): string => (key.startsWith('$') ? `$${key}` : key)
const unescapeKey = (key: string): string => (key.startsWith('$') ? key.slice(1) : key)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** Converts a value to JSON data; no key of the data can pose as a bigint. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return { $big: value.toString() }
  if (Array.isArray(value)) return value.map(plain)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [escapeKey(key), plain(member)]),
  )
}

/**
 * Restores what `plain` wrote. Takes a fresh value, as from `JSON.parse`, and changes it in place.
 */
export function revive(value: unknown): unknown {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) value[index] = revive(value[index])
    return value
  }
  if (!isObject(value)) return value
  if (typeof value.$big === 'string') return BigInt(value.$big)
  for (const key of Object.keys(value)) {
    const member = revive(value[key])
    if (key.startsWith('$')) delete value[key]
    else if (member === value[key]) continue
    set(value, unescapeKey(key), member)
  }
  return value
}

/** Also sets a key named `__proto__`, where an assignment would set the prototype. */
function set(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, {
      ...{ value, enumerable: true, configurable: true, writable: true },
    })
  else target[key] = value
}
