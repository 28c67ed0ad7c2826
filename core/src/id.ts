import type { Instant } from './instant.ts'

/** The kind of object that an id identifies, by its prefix. */
export type IdPrefix = 'pi' | 'evt' | 'mer' | 'key' | 'req'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * A sortable id: `<prefix>_` and 26 characters of Crockford base 32, 48 bits of time and 80 random
 * bits (the ULID layout, lower case). `random` has at least 10 bytes.
 */
export function makeId(prefix: IdPrefix, at: Instant, random: Uint8Array): string {
  let time = ''
  for (let rest = at, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) {
    time = alphabet.charAt(rest % 32) + time
  }
  let bits = 0n
  for (const byte of random.subarray(0, 10)) bits = (bits << 8n) | BigInt(byte)
  let chance = ''
  for (let i = 0; i < 16; i++, bits >>= 5n) chance = alphabet.charAt(Number(bits & 31n)) + chance
  return `${prefix}_${time}${chance}`
}

/** Whether a text has the form of an id with this prefix. The object need not exist. */
export const isId = (prefix: IdPrefix, text: string): boolean =>
  text.startsWith(`${prefix}_`) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(prefix.length + 1))

/**
 * When an id was made, in milliseconds: an id begins with its time. Null for text that is no id
 * with this prefix.
 */
export function timeOf(prefix: IdPrefix, text: string): Instant | null {
  if (!isId(prefix, text)) return null
  const letters = text.slice(prefix.length + 1, prefix.length + 11)
  return Array.from(letters).reduce((time, letter) => time * 32 + alphabet.indexOf(letter), 0)
}
