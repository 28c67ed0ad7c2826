import type { BlockRef } from '@settlewire/core/payment/observation'
import { describe, expect, it } from 'vitest'
import { elect, headRelation, type Voter } from './vote.ts'

/** A block of a branch: `a3` is number 3 of branch a. */
const block = (branch: string, number: number, forkedAt = 0): BlockRef => ({
  number,
  hash: number <= forkedAt ? `o${number}` : `${branch}${number}`,
  parentHash: number - 1 <= forkedAt ? `o${number - 1}` : `${branch}${number - 1}`,
  minedAt: number * 1_000,
})

/** A provider with that head, whose branch is known down to `knownFrom`. */
const voter = (
  branch: string,
  number: number,
  { forkedAt = 0, knownFrom = 0, counts = true, lags = false } = {},
): Voter => ({
  ref: block(branch, number, forkedAt),
  at: (height) => (height < knownFrom ? null : block(branch, height, forkedAt).hash),
  counts,
  lags,
})

/** Our chain: o0 … o10, newest first. */
const recent = Array.from({ length: 11 }, (_, at) => block('o', 10 - at))

describe('the relation of a provider to the stored chain', () => {
  it.each([
    ['at', voter('o', 10)],
    ['behind', voter('o', 9)],
    ['behind', voter('o', 4)],
    ['ahead', voter('o', 11)],
    ['ahead', voter('o', 14)],
    ['apart', voter('x', 10, { forkedAt: 8 })],
    ['apart', voter('x', 9, { forkedAt: 8 })],
    ['apart', voter('x', 11, { forkedAt: 9 })],
    ['apart', voter('x', 20, { forkedAt: 9 })],
    ['unknown', voter('o', 14, { knownFrom: 12 })],
    // For the next block its parent hash is enough, even when no other block is known.
    ['ahead', voter('o', 11, { knownFrom: 11 })],
  ] as const)('is `%s`', (expected, { ref, at }) => {
    expect(headRelation({ ref, at }, recent)).toBe(expected)
  })

  it('is `behind` below the remembered blocks, whose hashes are unknown', () => {
    expect(headRelation(voter('x', 2), recent.slice(0, 4))).toBe('behind')
  })
})

describe('the choice of the branch to follow', () => {
  const ours = voter('o', 10)
  const away = (number: number, more = {}) => voter('x', number, { forkedAt: 8, ...more })

  it('keeps our branch when as many providers are on the other one', () => {
    expect(elect([ours], [away(10)])).toBeNull()
    expect(elect([ours, ours], [away(11), away(12)])).toBeNull()
  })

  it('takes the branch that more providers are on', () => {
    const branch = [away(10), away(11)]
    expect(elect([ours], branch)).toEqual(branch)
    expect(elect([], branch)).toEqual(branch)
    expect(elect([ours, ours], [away(30)])).toBeNull()
  })

  it('does not add up the providers of two other branches', () => {
    expect(elect([ours, ours], [away(11), voter('y', 11, { forkedAt: 7 })])).toBeNull()
    const branch = [away(11), away(12)]
    expect(elect([ours], [voter('y', 20, { forkedAt: 7 }), ...branch])).toEqual(branch)
  })

  it('takes the other branch in a tie when every provider on ours lags', () => {
    const far = [away(20)]
    expect(elect([voter('o', 10, { lags: true })], far)).toEqual(far)
    expect(elect([voter('o', 10, { lags: true }), ours], [away(20), away(21)])).toBeNull()
  })

  it('ignores the votes of silent providers', () => {
    const silent = voter('o', 10, { lags: true, counts: false })
    const far = [away(20)]
    expect(elect([silent, silent], far)).toEqual(far)
    const slow = voter('o', 10, { lags: true })
    expect(elect([slow, slow], far)).toBeNull()
  })

  it('takes the higher of two other branches when no provider is on ours', () => {
    const other = voter('y', 12, { forkedAt: 7 })
    expect(elect([], [away(11), other])).toEqual([other])
  })
})
