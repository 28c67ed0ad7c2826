import type { WireEvent } from '@settlewire/client/wire-event'
import { timeOf } from '@settlewire/core/id'
import { toRfc3339 } from '@settlewire/core/instant'
import { depth, isZero } from './show.ts'

/**
 * Where lines are printed. In a pipe each event is one line with its hashes in full; on a terminal
 * hashes are short, and details that do not fit continue under their column.
 */
export type Medium = 'pipe' | 'terminal'

const names = ['#', 'time (UTC)', 'event', 'status', 'received', 'depth', 'details'] as const

/** The widths of the columns. Only the rarest words are longer than those of a terminal. */
const widths: Readonly<Record<Medium, readonly number[]>> = {
  pipe: [3, 19, 22, 22, 20, 7, 0],
  terminal: [3, 19, 15, 16, 18, 7, 0],
}

const between = '  '
const terminalColumns = 120

/** A line of cells, one for each column. */
const inColumns = (cells: readonly string[], medium: Medium): string =>
  cells
    .map((cell, at) => {
      const width = widths[medium][at] ?? 0
      return at === 0 ? cell.padStart(width) : cell.padEnd(width)
    })
    .join(between)
    .trimEnd()

/** The header line of events. */
export const eventHead = (medium: Medium): string => inColumns(names, medium)

/** An event: one line, or on a terminal as many as its details need. */
export function showEvent({ id, type, data }: WireEvent, medium: Medium): string {
  const { sequence, status, receivedAmount, pendingAmount, expectedAmount, token, finality } = data
  const hash = medium === 'pipe' ? String : shortHash
  const details = [
    isZero(pendingAmount) ? '' : `+ ${pendingAmount} pending`,
    hash(data.txHash ?? ''),
    data.replacedTxHash === undefined ? '' : `instead of ${hash(data.replacedTxHash)}`,
    [data.reason ?? '', ...data.flags].join(' ').trim(),
    finality === 'none' ? '' : `finality ${finality}`,
  ]
  const cells = [
    String(sequence),
    momentOf(id),
    type.replace('payment_intent.', ''),
    status,
    `${receivedAmount}/${expectedAmount}${token === null ? '' : ` ${token}`}`,
    status === 'confirming' ? depth(data) : '',
  ]
  const parts = details.filter((part) => part !== '')
  return withDetails(cells, parts, medium)
}

/** A remark between events, at a time of the server. Its details begin in the column `status`. */
export const showRemark = (
  { what, details }: { readonly what: string; readonly details: string },
  at: number,
  medium: Medium,
): string => withDetails(['', momentText(at), what], [details], medium)

/** Cells, and after them the details: on a terminal continued in further lines where too long. */
function withDetails(cells: readonly string[], parts: readonly string[], medium: Medium): string {
  if (medium === 'pipe') return inColumns([...cells, parts.join(between)], medium)
  const indent = inColumns([...cells.map(() => ''), '|'], medium).length - 1
  const room = terminalColumns - indent
  const words = parts.flatMap((part) => (part.length > room ? part.split(' ') : [part]))
  const apart = parts.length === 1 ? ' ' : between
  const head = inColumns(cells, medium)
  // A cell may be longer than its column.
  const lines = [`${head}${between}`.padEnd(indent)]
  for (const [at, word] of words.entries()) {
    const line = lines.at(-1) ?? ''
    const longer = at === 0 || line.trim() === '' ? line + word : line + apart + word
    if (longer.length <= terminalColumns) lines[lines.length - 1] = longer
    else lines.push(' '.repeat(indent) + word)
  }
  return lines.map((line) => line.trimEnd()).join('\n')
}

const shortHash = (hash: string): string =>
  hash.length > 20 ? `${hash.slice(0, 8)}…${hash.slice(-4)}` : hash

/** The time to the second, from the id of the event, which every transport carries. */
function momentOf(eventId: string): string {
  const at = timeOf('evt', eventId)
  return at === null ? '' : momentText(at)
}

const momentText = (at: number): string => toRfc3339(at).slice(0, 19).replace('T', ' ')
