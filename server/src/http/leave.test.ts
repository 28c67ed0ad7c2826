import { EventEmitter, getEventListeners } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { goneOrClosing } from './leave.ts'

const response = () => new EventEmitter() as ServerResponse // only its `close` event is used

it('goneOrClosing aborts when the client disconnects', () => {
  const asked = response()
  const signal = goneOrClosing(asked, new AbortController().signal)
  expect(signal.aborted).toBe(false)
  asked.emit('close')
  expect(signal.aborted).toBe(true)
})

it('goneOrClosing aborts when the server begins to close, or is already closing', () => {
  const closing = new AbortController()
  const signal = goneOrClosing(response(), closing.signal)
  closing.abort()
  expect(signal.aborted).toBe(true)
  expect(goneOrClosing(response(), closing.signal).aborted).toBe(true)
})

it('goneOrClosing leaves no listener on the closing signal after a request', () => {
  const closing = new AbortController()
  for (let i = 0; i < 100; i++) {
    const asked = response()
    goneOrClosing(asked, closing.signal)
    asked.emit('close')
  }
  expect(getEventListeners(closing.signal, 'abort')).toEqual([])
})
