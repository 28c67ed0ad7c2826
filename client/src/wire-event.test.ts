import { describe, expect, it } from 'vitest'
import { parseHeartbeat } from './wire-event.ts'

const beat = { sequence: 3, at: '2026-01-01T00:00:00.000Z', visibility: 'blind' }

describe('a heartbeat', () => {
  it('tells how each chain is seen', () => {
    const chains = [{ chain: 'base', visibility: 'blind', head: 9, lagMs: 40_000 }]
    expect(parseHeartbeat({ ...beat, chains })).toEqual({ ...beat, chains })
  })

  it('of a server that says nothing of chains is one all the same', () => {
    expect(parseHeartbeat(beat)).toEqual({ ...beat, chains: [] })
  })

  it.each([
    ['no list', 'base', []],
    ['no chain', [null, 7, { visibility: 'ok' }], []],
    [
      'numbers that are none, and a word that this client does not know',
      [{ chain: 'base', visibility: 'of_tomorrow', head: 'x', lagMs: -1 }],
      [{ chain: 'base', visibility: 'degraded', head: null, lagMs: null }],
    ],
  ])('is believed as far as it can be: %s', (_, chains, read) => {
    expect(parseHeartbeat({ ...beat, chains })?.chains).toEqual(read)
  })

  it('without a known word of visibility is never read as ok', () => {
    expect(parseHeartbeat({ ...beat, visibility: 'of_tomorrow' })?.visibility).toBe('degraded')
    expect(parseHeartbeat({ ...beat, visibility: undefined })?.visibility).toBe('degraded')
  })

  it.each([[null], [{}], [{ ...beat, sequence: 0 }], [{ ...beat, at: 'soon' }]])(
    'is none without a sequence and a time: %j',
    (value) => {
      expect(parseHeartbeat(value)).toBeNull()
    },
  )
})
