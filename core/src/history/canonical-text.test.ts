import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from './canonical-json.ts'
import { canonicalText, rememberedText } from './canonical-text.ts'
import { plain } from './plain-json.ts'

const anything = fc.anything({
  key: fc.oneof(fc.string(), fc.constantFrom('$big', '$', '$$a', 'a', 'b', '__proto__x')),
  values: [fc.string(), fc.bigInt(), fc.integer(), fc.boolean(), fc.constant(null)],
  withNullPrototype: false,
})

describe('canonical text', () => {
  it('equals canonicalJson(plain(value)) for every value', () => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(canonicalText(value)).toBe(canonicalJson(plain(value)))
      }),
    )
  })

  it('stays the same when it is cached, even with more shapes than the cache holds', () => {
    for (let index = 0; index < 5_000; index++) {
      const value = { [`key ${index}`]: 1n, b: [], a: { [`other ${index}`]: null, c: undefined } }
      expect(rememberedText(value)).toBe(canonicalJson(plain(value)))
      expect(rememberedText(value)).toBe(canonicalText(value))
    }
  })
})
