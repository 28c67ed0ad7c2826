import { expect, it } from 'vitest'
import { firstRung, type Ladder, lasted, struck } from './transport.ts'

const fall = (ladder: Ladder, times: number): Ladder =>
  times === 0 ? ladder : fall(struck(ladder, 'unreachable', 0), times - 1)

it('Ladder: leaves a transport after two failures in a row', () => {
  expect(fall(firstRung, 1).transport).toBe('stream')
  expect(fall(firstRung, 2).transport).toBe('long_poll')
  expect(fall(firstRung, 4).transport).toBe('poll')
})

it('Ladder: returns to the stream when no transport works', () => {
  expect(fall(firstRung, 6).transport).toBe('stream')
})

it('Ladder: leaves the stream at once if it is accepted but nothing arrives', () => {
  expect(struck(firstRung, 'mute', 0).transport).toBe('long_poll')
})

it('Ladder: forgets single failures once an attempt has lasted', () => {
  const once = struck(firstRung, 'unreachable', 0)
  expect(struck(lasted(once, 0), 'unreachable', 0).transport).toBe('stream')
  const poll = fall(struck(firstRung, 'mute', 0), 1)
  expect(lasted(poll, 0)).toMatchObject({ transport: 'long_poll', strikes: 0 })
})

it('Ladder: tries the stream again after a while, and leaves it after one failure', () => {
  const below = fall(firstRung, 2)
  expect(lasted(below, below.climbAt - 1).transport).toBe('long_poll')
  const climbing = lasted(below, below.climbAt)
  expect(climbing.transport).toBe('stream')
  expect(struck(climbing, 'unreachable', 100_000).transport).toBe('long_poll')
  expect(lasted(climbing, 100_000)).toEqual(firstRung)
})

it('Ladder: tries the stream as soon as an outage of all transports is over', () => {
  for (const times of [2, 3, 4, 5]) {
    expect(lasted(fall(firstRung, times), 0)).toMatchObject({ transport: 'stream', climbing: true })
  }
  const mute = struck(firstRung, 'mute', 0)
  expect(lasted(mute, 14_999).transport).toBe('long_poll')
})

it('Ladder: tries a blocked stream less and less often, but soon after an outage', () => {
  let ladder = fall(firstRung, 2)
  const waits: number[] = []
  for (let now = 0, i = 0; i < 8; i++) {
    waits.push(ladder.climbAfterMs)
    now = ladder.climbAt
    ladder = struck(lasted(ladder, now), 'mute', now)
  }
  expect(waits).toEqual([15_000, 30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000])
  expect(fall(firstRung, 50).climbAfterMs).toBe(15_000)
})
