/** How long each kind of sentence was behind, or untrue, on the screens of a run. */
export interface Count {
  /** Time in which it was shown as current. */
  shownMs: number
  /** Of that, time in which it was no longer so: on its way. */
  lateMs: number
  longestMs: number
  /** Of that, time beyond what is allowed. */
  untrueMs: number
}

export type Tally = Record<string, Count>

export const noCount = (): Count => ({ shownMs: 0, lateMs: 0, longestMs: 0, untrueMs: 0 })

/** All that the worlds of a run have counted. */
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

const columns = ['sentence', 'shown s', 'behind s', 'longest s', 'untrue s'] as const

/** As a table, to be printed at the end of a run. */
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
