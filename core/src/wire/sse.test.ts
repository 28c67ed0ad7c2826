import { createParser, type EventSourceMessage } from 'eventsource-parser'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Bug } from '../assert.ts'
import { type SseFrame, sseComment, sseFrame } from './sse.ts'

/** How a parser that we did not write reads a text, fed in pieces of any size. */
function readBack(text: string, pieceLength = text.length || 1) {
  const messages: EventSourceMessage[] = []
  const retries: number[] = []
  const comments: string[] = []
  const errors: unknown[] = []
  const parser = createParser({
    onEvent: (message) => messages.push(message),
    onRetry: (retry) => retries.push(retry),
    onComment: (comment) => comments.push(comment),
    onError: (error) => errors.push(error),
  })
  for (let at = 0; at < text.length; at += pieceLength)
    parser.feed(text.slice(at, at + pieceLength))
  return { messages, retries, comments, errors }
}

/** Text in which line ends, colons and the words of the format are common. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom('\r', '\n', '\r\n', '\n\n', ':', ' ', '\0', '\u2028', '\ufeff'),
      fc.constantFrom('id: evt_9\n', '\ndata: forged', 'event: x\r', 'retry: 1\n', '{"a":1}'),
      fc.string({ unit: 'grapheme' }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''))

const oneLine = fc.string({ minLength: 1 }).filter((text) => !/[\r\n\0]/.test(text))

it('prints an SSE frame in the form of the wire contract', () => {
  const frame: SseFrame = { id: 'evt_1', event: 'payment_intent.confirming', data: '{"a":1}' }
  expect(sseFrame(frame)).toBe('id: evt_1\nevent: payment_intent.confirming\ndata: {"a":1}\n\n')
  expect(sseFrame({ retry: 2000 })).toBe('retry: 2000\n\n')
  expect(sseComment('heartbeat')).toBe(':heartbeat\n')
})

it('an SSE frame with any content is read back as exactly one event', () => {
  fc.assert(
    fc.property(
      oneLine,
      oneLine,
      hostileText,
      fc.integer({ min: 1, max: 7 }),
      (id, event, data, pieceLength) => {
        const read = readBack(sseFrame({ id, event, data }), pieceLength)
        const lines = data.replaceAll(/\r\n|\r/g, '\n')
        expect(read).toEqual({
          messages: [{ id, event, data: lines }],
          retries: [],
          comments: [],
          errors: [],
        })
      },
    ),
    { numRuns: 500 },
  )
})

it('SSE frames written one after the other are read back as the same frames', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(oneLine, hostileText), { maxLength: 5 }), (frames) => {
      const text = frames.map(([id, data]) => sseComment(data) + sseFrame({ id, data })).join('')
      const read = readBack(text)
      expect(read.messages.map(({ id }) => id)).toEqual(frames.map(([id]) => id))
      expect(read.errors).toEqual([])
    }),
  )
})

it('an SSE comment with any content is read back as comments only', () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const read = readBack(`${sseComment(text)}\n`)
      expect(read.comments.length).toBeGreaterThan(0)
      expect({ ...read, comments: [] }).toEqual({
        messages: [],
        retries: [],
        comments: [],
        errors: [],
      })
    }),
  )
})

it('refuses an SSE id or event name with a line end or NUL', () => {
  for (const bad of ['a\nb', 'a\rb', 'a\r\nb', 'a\0b', '\n']) {
    expect(() => sseFrame({ id: bad, data: '' })).toThrow(Bug)
    expect(() => sseFrame({ event: bad, data: '' })).toThrow(Bug)
  }
})

it('accepts an SSE retry time only in whole, non-negative milliseconds', () => {
  expect(readBack(sseFrame({ retry: 0 })).retries).toEqual([0])
  for (const bad of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => sseFrame({ retry: bad })).toThrow(Bug)
  }
})
