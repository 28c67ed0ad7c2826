import type { BlockRef } from '@settlewire/core/payment/observation'
import { describe, expect, it } from 'vitest'
import { elect, standing, type Voter } from './vote.ts'

/** A block of a branch: `a3` is number 3 of branch a. */
const block = (branch: string, number: number, forkedAt = 0): BlockRef => ({
  number,
  hash: number <= forkedAt ? `o${number}` : `${branch}${number}`,
  parentHash: number - 1 <= forkedAt ? `o${number - 1}` : `${branch}${number - 1}`,
  minedAt: number * 1_000,
})

/** A provider with that head, of whose branch everything is known down to `knownFrom`. */
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

/** Ours: o0 … o10, newest first. */
const recent = Array.from({ length: 11 }, (_, at) => block('o', 10 - at))

describe('how a provider stands to the stored chain', () => {
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
    // The parent alone tells of the next block, whatever else was not heard of.
    ['ahead', voter('o', 11, { knownFrom: 11 })],
  ] as const)('%s', (expected, { ref, at }) => {
    expect(standing({ ref, at }, recent)).toBe(expected)
  })

  it('is behind below everything remembered: what was there is not known any more', () => {
    expect(standing(voter('x', 2), recent.slice(0, 4))).toBe('behind')
  })
})

describe('which branch is followed', () => {
  const ours = voter('o', 10)
  const away = (number: number, more = {}) => voter('x', number, { forkedAt: 8, ...more })

  it('is ours with as many on either: who saw it first decides nothing', () => {
    expect(elect([ours], [away(10)])).toBeNull()
    expect(elect([ours, ours], [away(11), away(12)])).toBeNull()
  })

  it('is the one that more are on', () => {
    const branch = [away(10), away(11)]
    expect(elect([ours], branch)).toEqual(branch)
    expect(elect([], branch)).toEqual(branch)
    expect(elect([ours, ours], [away(30)])).toBeNull()
  })

  it('does not add up two branches that are both not ours', () => {
    expect(elect([ours, ours], [away(11), voter('y', 11, { forkedAt: 7 })])).toBeNull()
    const branch = [away(11), away(12)]
    expect(elect([ours], [voter('y', 20, { forkedAt: 7 }), ...branch])).toEqual(branch)
  })

  it('with as many on either is the other one when all that are on ours lag', () => {
    const far = [away(20)]
    expect(elect([voter('o', 10, { lags: true })], far)).toEqual(far)
    expect(elect([voter('o', 10, { lags: true }), ours], [away(20), away(21)])).toBeNull()
  })

  it('is not held by a majority that has fallen silent', () => {
    const silent = voter('o', 10, { lags: true, counts: false })
    const far = [away(20)]
    expect(elect([silent, silent], far)).toEqual(far)
    const slow = voter('o', 10, { lags: true })
    expect(elect([slow, slow], far)).toBeNull()
  })

  it('of two that are both better is the one with the higher head, when none is left on ours', () => {
    const other = voter('y', 12, { forkedAt: 7 })
    expect(elect([], [away(11), other])).toEqual([other])
  })
})
