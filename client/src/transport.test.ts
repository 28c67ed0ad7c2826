import { expect, it } from 'vitest'
import { afterFailure, afterSuccess, initialState, type TransportState } from './transport.ts'

const fall = (state: TransportState, times: number): TransportState =>
  times === 0 ? state : fall(afterFailure(state, 'unreachable', 0), times - 1)

it('transport: leaves a transport after two failures in a row', () => {
  expect(fall(initialState, 1).transport).toBe('stream')
  expect(fall(initialState, 2).transport).toBe('long_poll')
  expect(fall(initialState, 4).transport).toBe('poll')
})

it('transport: returns to the stream when no transport works', () => {
  expect(fall(initialState, 6).transport).toBe('stream')
})

it('transport: leaves the stream at once if it is accepted but nothing arrives', () => {
  expect(afterFailure(initialState, 'mute', 0).transport).toBe('long_poll')
})

it('transport: forgets single failures once an attempt has lasted', () => {
  const once = afterFailure(initialState, 'unreachable', 0)
  expect(afterFailure(afterSuccess(once, 0), 'unreachable', 0).transport).toBe('stream')
  const poll = fall(afterFailure(initialState, 'mute', 0), 1)
  expect(afterSuccess(poll, 0)).toMatchObject({ transport: 'long_poll', failures: 0 })
})

it('transport: tries the stream again after a while, and leaves it after one failure', () => {
  const below = fall(initialState, 2)
  expect(afterSuccess(below, below.streamAt - 1).transport).toBe('long_poll')
  const again = afterSuccess(below, below.streamAt)
  expect(again.transport).toBe('stream')
  expect(afterFailure(again, 'unreachable', 100_000).transport).toBe('long_poll')
  expect(afterSuccess(again, 100_000)).toEqual(initialState)
})

it('transport: tries the stream as soon as an outage of all transports is over', () => {
  for (const times of [2, 3, 4, 5]) {
    expect(afterSuccess(fall(initialState, times), 0)).toMatchObject({
      transport: 'stream',
      triesStream: true,
    })
  }
  const mute = afterFailure(initialState, 'mute', 0)
  expect(afterSuccess(mute, 14_999).transport).toBe('long_poll')
})

it('transport: tries a blocked stream less and less often, but soon after an outage', () => {
  let state = fall(initialState, 2)
  const waits: number[] = []
  for (let now = 0, i = 0; i < 8; i++) {
    waits.push(state.streamAfterMs)
    now = state.streamAt
    state = afterFailure(afterSuccess(state, now), 'mute', now)
  }
  expect(waits).toEqual([15_000, 30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000])
  expect(fall(initialState, 50).streamAfterMs).toBe(15_000)
})
