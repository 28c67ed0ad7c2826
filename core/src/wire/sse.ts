import { assert } from '../assert.ts'

/** One server-sent event. A frame with `retry` alone sets the delay before a reconnect. */
export interface SseFrame {
  readonly id?: string
  readonly event?: string
  /** May hold line ends of any kind: each line becomes a `data` line of its own. */
  readonly data?: string
  /** Milliseconds. */
  readonly retry?: number
}

/** Every line end of an event stream. LF alone is not enough: a bare CR ends a line too. */
const lineEnd = /\r\n|\r|\n/

/**
 * The text of one frame, its blank line included. No value can end its field and start another, so
 * nothing a payer or merchant typed can forge an event: `id` and `event` with CR, LF or NUL are
 * bugs.
 */
export function sseFrame({ id, event, data, retry }: SseFrame): string {
  let text = ''
  if (retry !== undefined) {
    assert(Number.isSafeInteger(retry) && retry >= 0, 'retry is whole milliseconds')
    text += `retry: ${retry}\n`
  }
  if (id !== undefined) text += field('id', id)
  if (event !== undefined) text += field('event', event)
  if (data !== undefined) for (const line of data.split(lineEnd)) text += `data: ${line}\n`
  return `${text}\n`
}

/** Comment lines: clients ignore them, and proxies see traffic. Before a frame, or alone. */
export const sseComment = (text: string): string =>
  text
    .split(lineEnd)
    .map((line) => `:${line}\n`)
    .join('')

function field(name: 'id' | 'event', value: string): string {
  assert(!/[\r\n\0]/.test(value), `the ${name} of a frame is one line without NUL`)
  return `${name}: ${value}\n`
}
