/** Of these names the one that a typed word was probably meant to be; null when none is near. */
export const meantBy = (typed: string, names: readonly string[]): string | null =>
  names.find((name) => isNear(name, typed)) ?? null

/** One letter wrong, missing, doubled, swapped, only the case, or a part left off at the end. */
function isNear(name: string, typed: string): boolean {
  const [a, b] = [name.toLowerCase(), typed.toLowerCase()]
  if (b === '') return false
  if (a === b || a.startsWith(b) || b.startsWith(a)) return true
  const head = [...a].findIndex((letter, index) => letter !== b[index])
  const rest = (text: string, from: number): string => text.slice(head + from)
  return (
    rest(a, 1) === rest(b, 1) ||
    rest(a, 0) === rest(b, 1) ||
    rest(a, 1) === rest(b, 0) ||
    (a[head] === b[head + 1] && a[head + 1] === b[head] && rest(a, 2) === rest(b, 2))
  )
}
