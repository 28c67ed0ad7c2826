/**
 * PostgreSQL's text form of arrays, made here because it is the hottest path of an append: a column
 * of a whole batch is one value, and JSON texts, which are most of the bytes, are quoted natively.
 */
export const arrayOf = {
  /** Ids, hashes, numbers, instants, booleans: what needs no quotes. */
  plain: (items: readonly (string | number | boolean | null)[]): string =>
    `{${items.map((item) => (item === null ? 'null' : item)).join(',')}}`,

  /** Any text. */
  text: (items: readonly (string | null)[]): string =>
    `{${items.map((item) => (item === null ? 'null' : quote(item))).join(',')}}`,

  /**
   * JSON texts. They hold no bare control characters, so JSON's own quoting, which is native, escapes
   * in them only what an array literal escapes the same way: quotes and backslashes.
   */
  json: (items: readonly string[]): string =>
    `{${items.map((item) => JSON.stringify(item)).join(',')}}`,

  /** 32 bytes in hex. */
  hash: (items: readonly string[]): string =>
    `{${items.map((item) => `"\\\\x${item}"`).join(',')}}`,
} as const

const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`
