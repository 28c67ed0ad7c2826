/**
 * JSON with sorted keys and no blanks: equal values give equal text, in whatever order they were
 * built. Accepts what JSON accepts; `undefined` members are left out. The subset of RFC 8785 that
 * our data needs: no number here is fractional, so number formatting never differs.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
    return `{${members.join(',')}}`
  }
  return JSON.stringify(value ?? null)
}
