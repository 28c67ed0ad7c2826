const lengthMax = 64

/**
 * The name that was probably meant, or null when none is close: for messages about mistyped names.
 * Ignores case, hyphens and underscores; up to every third letter may differ.
 */
export function nearest(word: string, names: readonly string[]): string | null {
  const plain = plainOf(word)
  if (plain === '' || plain.length > lengthMax) return null
  let best: string | null = null
  let bestDistance = Math.floor(plain.length / 3) + 1
  for (const name of names) {
    const distance = distanceOf(plain, plainOf(name))
    if (distance < bestDistance) [best, bestDistance] = [name, distance]
  }
  return best
}

const plainOf = (name: string): string => name.toLowerCase().replace(/[-_]/g, '')

/**
 * How many letters must be inserted, removed, changed or swapped with the next one to turn one into
 * the other (Damerau-Levenshtein, without changes inside of a swap).
 */
function distanceOf(a: string, b: string): number {
  let before: readonly number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a.charAt(i - 1) === b.charAt(j - 1) ? 0 : 1
      const found = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same)
      const isSwap = a.charAt(i - 1) === b.charAt(j - 2) && a.charAt(i - 2) === b.charAt(j - 1)
      next.push(i > 1 && j > 1 && isSwap ? Math.min(found, (before[j - 2] ?? 0) + 1) : found)
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
