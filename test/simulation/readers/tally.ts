/** For how long each kind of statement was late, or untrue, on the screens of a run. */
export interface Count {
  /** The time in which it was shown as current. */
  shownMs: number
  /** Of `shownMs`: the time in which it was outdated because the update was on its way. */
  lateMs: number
  longestMs: number
  /** Of `lateMs`: the time beyond what is allowed. */
  untrueMs: number
}

export type Tally = Record<string, Count>

export const noCount = (): Count => ({ shownMs: 0, lateMs: 0, longestMs: 0, untrueMs: 0 })

/** The sum of the counts of several worlds. */
export function tallyOf(worlds: readonly { readonly tally: Tally }[]): Tally {
  const sum: Tally = {}
  for (const { tally } of worlds) addTo(sum, tally)
  return sum
}

function addTo(sum: Tally, more: Tally): void {
  for (const [name, count] of Object.entries(more)) {
    const known = sum[name] ?? noCount()
    sum[name] = known
    known.shownMs += count.shownMs
    known.lateMs += count.lateMs
    known.untrueMs += count.untrueMs
    known.longestMs = Math.max(known.longestMs, count.longestMs)
  }
}

const columns = ['statement', 'shown s', 'behind s', 'longest s', 'untrue s'] as const

/** A table to print at the end of a run. */
export function tallyText(tally: Tally): string {
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1)
  const rows = Object.entries(tally)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { shownMs, lateMs, longestMs, untrueMs }]) => [
      ...[name, seconds(shownMs), seconds(lateMs), seconds(longestMs), seconds(untrueMs)],
    ])
  const all = [columns as readonly string[], ...rows]
  const widths = columns.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)))
  return all
    .map((row) =>
      row
        .map((text, at) =>
          at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0),
        )
        .join('  '),
    )
    .join('\n')
}
