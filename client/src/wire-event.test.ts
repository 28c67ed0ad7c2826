import { describe, expect, it } from 'vitest'
import { parseHeartbeat } from './wire-event.ts'

const beat = { sequence: 3, at: '2026-01-01T00:00:00.000Z', visibility: 'blind' }

describe('a heartbeat', () => {
  it('reports how well each chain is seen', () => {
    const chains = [{ chain: 'base', visibility: 'blind', head: 9, lagMs: 40_000 }]
    expect(parseHeartbeat({ ...beat, chains })).toEqual({ ...beat, chains })
  })

  it('without chains is valid, with an empty list', () => {
    expect(parseHeartbeat(beat)).toEqual({ ...beat, chains: [] })
  })

  it.each([
    ['not a list', 'base', []],
    ['entries that are not chains', [null, 7, { visibility: 'ok' }], []],
    [
      'invalid numbers and an unknown visibility',
      [{ chain: 'base', visibility: 'of_tomorrow', head: 'x', lagMs: -1 }],
      [{ chain: 'base', visibility: 'degraded', head: null, lagMs: null }],
    ],
  ])('keeps the valid fields of its chains: %s', (_, chains, read) => {
    expect(parseHeartbeat({ ...beat, chains })?.chains).toEqual(read)
  })

  it('without a known visibility is read as degraded, never as ok', () => {
    expect(parseHeartbeat({ ...beat, visibility: 'of_tomorrow' })?.visibility).toBe('degraded')
    expect(parseHeartbeat({ ...beat, visibility: undefined })?.visibility).toBe('degraded')
  })

  it.each([[null], [{}], [{ ...beat, sequence: 0 }], [{ ...beat, at: 'soon' }]])(
    'is invalid without a sequence and a time: %j',
    (value) => {
      expect(parseHeartbeat(value)).toBeNull()
    },
  )
})
