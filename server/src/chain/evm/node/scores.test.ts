import { describe, expect, it } from 'vitest'
import { Firsts } from './scores.ts'

describe('Firsts', () => {
  it('says how much later than the first provider another one showed an item', () => {
    const firsts = new Firsts()
    expect(firsts.isNew('block 7')).toBe(true)
    expect(firsts.saw('block 7', 'a', 1_000)).toBeNull()
    expect(firsts.saw('block 7', 'b', 1_250)).toBe(250)
    expect(firsts.saw('block 7', 'a', 1_300)).toBeNull()
    expect(firsts.isNew('block 7')).toBe(false)
  })

  it('remembers the newest 65,536 items only', () => {
    const firsts = new Firsts()
    for (let i = 0; i <= 65_536; i++) firsts.saw(`item ${i}`, 'a', i)
    expect(firsts.isNew('item 0')).toBe(true)
    expect(firsts.isNew('item 1')).toBe(false)
    expect(firsts.isNew('item 65536')).toBe(false)
  })
})
