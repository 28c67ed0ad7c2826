import { EventEmitter, getEventListeners } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { goneOrClosing } from './leave.ts'

const response = () => new EventEmitter() as ServerResponse // of which only `close` is heard

it('aborts when the client has gone', () => {
  const asked = response()
  const signal = goneOrClosing(asked, new AbortController().signal)
  expect(signal.aborted).toBe(false)
  asked.emit('close')
  expect(signal.aborted).toBe(true)
})

it('aborts when the server closes, or has begun to', () => {
  const closing = new AbortController()
  const signal = goneOrClosing(response(), closing.signal)
  closing.abort()
  expect(signal.aborted).toBe(true)
  expect(goneOrClosing(response(), closing.signal).aborted).toBe(true)
})

it('leaves nothing behind on a server that goes on', () => {
  const closing = new AbortController()
  for (let i = 0; i < 100; i++) {
    const asked = response()
    goneOrClosing(asked, closing.signal)
    asked.emit('close')
  }
  expect(getEventListeners(closing.signal, 'abort')).toEqual([])
})
