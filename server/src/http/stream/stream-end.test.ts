import { statuses } from '@settlewire/core/payment/status-model'
import { describe, expect, it } from 'vitest'
import { isEnd, isWatchedOut } from './stream-end.ts'

describe('the end of a stream', () => {
  it('is at any status that closes a payment', () => {
    const ends = statuses.filter((status) => isEnd({ status, finality: 'none' }, 'end'))
    expect(ends).toEqual(['succeeded', 'cancelled', 'failed'])
  })

  it('is with `until=final` at a success only once it is final', () => {
    const ends = (finality: 'none' | 'safe' | 'final') =>
      statuses.filter((status) => isEnd({ status, finality }, 'final'))
    expect(ends('none')).toEqual(['cancelled', 'failed'])
    expect(ends('safe')).toEqual(['cancelled', 'failed'])
    expect(ends('final')).toEqual(['succeeded', 'cancelled', 'failed'])
  })

  it('is with `until=final` at the end of the watch for an expired payment', () => {
    const terms = { until: 'final', monitorUntil: 1_000 } as const
    expect(isWatchedOut({ status: 'expired' }, terms, 999)).toBe(false)
    expect(isWatchedOut({ status: 'expired' }, terms, 1_000)).toBe(true)
    expect(isWatchedOut({ status: 'expired' }, { ...terms, until: 'end' }, 1_000)).toBe(false)
    expect(isWatchedOut({ status: 'awaiting' }, terms, 1_000)).toBe(false)
  })
})
