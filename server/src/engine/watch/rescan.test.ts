import { expect, it } from 'vitest'
import { withPart } from './rescan.ts'

it('sums up the blocks that a provider has not shown', () => {
  const blocks = [{ number: 1, hash: '0x1', parentHash: '0x0', minedAt: 0 }]
  const failed = { readFrom: ['a'], notReadFrom: ['b'], blocks }
  const once = withPart([], failed)
  expect(withPart(once, { ...failed, readFrom: ['a', 'b'], notReadFrom: [] })).toBe(once)
  expect(withPart(once, failed)).toEqual([{ notReadFrom: ['b'], providers: 1, blocks: 2 }])
})
