import { describe, expect, it } from 'vitest'
import { FinalityWatch } from './finality.ts'

const minute = 60_000
const watch = () => new FinalityWatch({ finalityStallMsMin: 10 * minute, finalityStallTimes: 3 })

describe('pitfall 19: finality that stands still', () => {
  it('is told after ten minutes, while the head moves on', () => {
    const finality = watch()
    finality.moved({ head: 100, safe: 95, finalized: 90 }, 0)
    finality.moved({ head: 101, safe: 96, finalized: 91 }, 2_000)
    finality.moved({ head: 390, safe: 380, finalized: 91 }, 10 * minute)
    expect(finality.isStalled(10 * minute + 1_999)).toBe(false)
    expect(finality.isStalled(10 * minute + 2_000)).toBe(true)
    finality.moved({ head: 400, safe: 390, finalized: 300 }, 11 * minute)
    expect(finality.isStalled(11 * minute)).toBe(false)
  })

  it('is told of each tag by itself', () => {
    const finality = watch()
    finality.moved({ head: 100, safe: 95, finalized: null }, 0)
    finality.moved({ head: 400, safe: 95, finalized: null }, 10 * minute)
    expect(finality.isStalled(10 * minute)).toBe(true)
  })

  it('is no stall when the tag usually takes long: three times its own pace, on Ethereum', () => {
    const finality = watch()
    const epochs = [0, 1, 2, 3, 4]
    for (const epoch of epochs) {
      finality.moved({ head: 32 * epoch, safe: null, finalized: epoch }, epoch * 6.4 * minute)
    }
    finality.moved({ head: 300, safe: null, finalized: 4 }, (4 * 6.4 + 19) * minute)
    expect(finality.isStalled((4 * 6.4 + 19.1) * minute)).toBe(false)
    expect(finality.isStalled((4 * 6.4 + 19.3) * minute)).toBe(true)
  })

  it('is none on a chain without tags, nor while the whole chain stands still', () => {
    const finality = watch()
    finality.moved({ head: 100, safe: null, finalized: null }, 0)
    finality.moved({ head: 900, safe: null, finalized: null }, 60 * minute)
    expect(finality.isStalled(120 * minute)).toBe(false)
    finality.moved({ head: 901, safe: 900, finalized: 890 }, 61 * minute)
    expect(finality.isStalled(500 * minute)).toBe(false)
  })
})
