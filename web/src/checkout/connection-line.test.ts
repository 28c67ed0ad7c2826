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
  it('says live on a stream that is proven, and which way it is otherwise', () => {
    expect(line({})).toEqual({ look: 'live', label: 'Live', warning: null })
    expect(line({ state: 'fallback', transport: 'long_poll' }).label).toContain('long-poll')
    expect(line({ state: 'fallback', transport: 'poll' }).label).toContain('every few seconds')
  })

  it('never says live while a chain cannot be seen', () => {
    for (const state of ['current', 'fallback'] as const) {
      expect(line({ state }, false)).toEqual({ look: 'calm', label: 'Connected', warning: null })
    }
  })

  it('never says live before it knows how the chains are seen', () => {
    for (const state of ['current', 'fallback'] as const) {
      expect(line({ state }, true, false).label).toBe(
        line({ state: 'reconnecting', provenAt: now }).label,
      )
    }
  })

  it('says from when the page is, once the connection is lost', () => {
    for (const state of ['reconnecting', 'stale'] as const) {
      expect(line({ state }).warning).toBe(
        `Connection lost – what you see is from ${timeOfDay(now - 9_000)}. Retrying…`,
      )
    }
  })

  it('goes by when the page was loaded, if nothing was ever proven', () => {
    const lost = line({ state: 'connecting', provenAt: null })
    expect(lost.warning).toContain(timeOfDay(now - 60_000))
  })

  it('does not cry over a gap that is closed at once, and does not say live meanwhile', () => {
    const gap = line({ state: 'reconnecting', provenAt: now - 1_000 })
    expect(gap).toMatchObject({ look: 'calm', warning: null })
    expect(gap.label).not.toBe('Live')
  })

  it('says from when it is once it follows no longer, and warns where it may not', () => {
    const label = `As of ${timeOfDay(now - 9_000)}`
    expect(line({ state: 'ended' })).toMatchObject({ look: 'calm', label })
    expect(line({ state: 'ended', reason: 'unauthenticated' }).warning).toContain('Reload')
    expect(line({ state: 'paused' }).warning).toContain('offline')
  })
})
