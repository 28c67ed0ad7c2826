import { describe, expect, it } from 'vitest'
import { makeId, timeOf } from './id.ts'

describe('the time in an id', () => {
  it.each([0, 1, Date.UTC(2026, 10, 28, 21, 9, 3, 7), 2 ** 48 - 1])(
    'is read back unchanged: %d',
    (at) => {
      expect(timeOf('evt', makeId('evt', at, new Uint8Array(10).fill(255)))).toBe(at)
    },
  )

  it.each(['', 'evt_', 'evt_7', `pi_${'0'.repeat(26)}`, `evt_${'u'.repeat(26)}`])(
    'is null for text that is not an id of this kind: %j',
    (text) => {
      expect(timeOf('evt', text)).toBeNull()
    },
  )
})
