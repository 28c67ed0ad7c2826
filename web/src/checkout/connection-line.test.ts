import type { Connection } from '@settlewire/client/watch'
import { describe, expect, it } from 'vitest'
import { connectionLineOf } from './connection-line.ts'
import { timeOfDay } from './time.ts'

const now = Date.UTC(2026, 0, 1, 12, 3, 20)
const held: Connection = {
  state: 'current',
  transport: 'stream',
  provenAt: now - 9_000,
  retryAt: null,
  reason: null,
  visibility: 'ok',
  chains: null,
  clockOffsetMs: 0,
}
const line = (more: Partial<Connection>, isSeen = true, isSightKnown = true) =>
  connectionLineOf({ ...held, ...more }, { now, loadedAt: now - 60_000, isSeen, isSightKnown })

describe('the connection line', () => {
  it('says Live on a proven stream, and names long-poll or polling otherwise', () => {
    expect(line({})).toEqual({ look: 'live', label: 'Live', warning: null })
    expect(line({ state: 'fallback', transport: 'long_poll' }).label).toContain('long-poll')
    expect(line({ state: 'fallback', transport: 'poll' }).label).toContain('every few seconds')
  })

  it('does not say Live while a chain cannot be seen', () => {
    for (const state of ['current', 'fallback'] as const) {
      expect(line({ state }, false)).toEqual({ look: 'calm', label: 'Connected', warning: null })
    }
  })

  it('does not say Live before it knows how well the chains are seen', () => {
    for (const state of ['current', 'fallback'] as const) {
      expect(line({ state }, true, false).label).toBe(
        line({ state: 'reconnecting', provenAt: now }).label,
      )
    }
  })

  it('warns with the time of the last proof once the connection is lost', () => {
    for (const state of ['reconnecting', 'stale'] as const) {
      expect(line({ state }).warning).toBe(
        `Connection lost – what you see is from ${timeOfDay(now - 9_000)}. Retrying…`,
      )
    }
  })

  it('uses the load time of the page if nothing was ever proven', () => {
    const lost = line({ state: 'connecting', provenAt: null })
    expect(lost.warning).toContain(timeOfDay(now - 60_000))
  })

  it('neither warns nor says Live during a very short gap', () => {
    const gap = line({ state: 'reconnecting', provenAt: now - 1_000 })
    expect(gap).toMatchObject({ look: 'calm', warning: null })
    expect(gap.label).not.toBe('Live')
  })

  it('shows its time after the end, and warns when refused or offline', () => {
    const label = `As of ${timeOfDay(now - 9_000)}`
    expect(line({ state: 'ended' })).toMatchObject({ look: 'calm', label })
    expect(line({ state: 'ended', reason: 'unauthenticated' }).warning).toContain('Reload')
    expect(line({ state: 'paused' }).warning).toContain('offline')
  })
})
