import type { BlockRef } from '@settlewire/core/payment/observation'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grow, isChain, joinBranch, leftBehind, remember } from './branch.ts'

/** A chain of blocks on a parent, oldest first; `name` makes its hashes unique. */
function mint(on: BlockRef | null, length: number, name: string): BlockRef[] {
  const blocks: BlockRef[] = []
  for (let at = 0; at < length; at++) {
    const parent = blocks.at(-1) ?? on
    const number = (parent?.number ?? -1) + 1
    const parentHash = parent?.hash ?? 'before'
    blocks.push({ number, hash: `${name}${number}`, parentHash, minedAt: number * 1000 })
  }
  return blocks
}

describe('joining blocks to the stored chain', () => {
  const stored = mint(null, 10, 'a')
  const recent = stored.toReversed()

  it('appends to the head when the first block is its child', () => {
    expect(joinBranch(recent, mint(recent[0] ?? null, 3, 'a'))).toEqual({
      kind: 'joined',
      reverted: [],
    })
  })

  it('reverts the blocks above the common ancestor, newest first', () => {
    const fork = mint(stored[6] ?? null, 5, 'b')
    expect(joinBranch(recent, fork)).toEqual({
      kind: 'joined',
      reverted: [stored[9], stored[8], stored[7]],
    })
  })

  it('asks for the parent when the blocks do not reach the common ancestor yet', () => {
    const fork = mint(stored[4] ?? null, 8, 'b').slice(3)
    expect(joinBranch(recent, fork)).toEqual({ kind: 'parent_unknown', parentHash: 'b7' })
  })

  it('returns `too_deep` when the branch forks below the oldest remembered block', () => {
    const oldest = mint(null, 30, 'a')
    const remembered = oldest.slice(20).toReversed()
    const fork = mint(oldest[10] ?? null, 15, 'b')
    expect(joinBranch(remembered, fork.slice(9))).toMatchObject({ kind: 'too_deep' })
    expect(joinBranch(remembered, fork.slice(10))).toMatchObject({ kind: 'too_deep' })
    expect(joinBranch(remembered, fork.slice(11))).toMatchObject({ kind: 'parent_unknown' })
  })

  it('returns `broken` for an empty list, or blocks that are not a chain', () => {
    const [first, , third] = mint(recent[0] ?? null, 3, 'a')
    expect(
      joinBranch(
        recent,
        [first, third].filter((b) => b !== undefined),
      ).kind,
    ).toBe('broken')
    const stray = { number: 11, hash: 'stray', parentHash: 'of another', minedAt: 0 }
    expect(joinBranch(recent, first ? [first, stray] : []).kind).toBe('broken')
    expect(joinBranch(recent, []).kind).toBe('broken')
    expect(joinBranch([], mint(null, 1, 'a')).kind).toBe('broken')
  })

  it('switches between any two chains in bounded steps, always onto the right parent', () => {
    const world = fc.record({
      common: fc.integer({ min: 1, max: 12 }),
      old: fc.integer({ min: 0, max: 8 }),
      fresh: fc.integer({ min: 1, max: 20 }),
      told: fc.integer({ min: 1, max: 20 }),
    })
    fc.assert(
      fc.property(world, ({ common, old, fresh, told }) => {
        const trunk = mint(null, common, 't')
        const before = [...trunk, ...mint(trunk.at(-1) ?? null, old, 'o')]
        const branch = mint(trunk.at(-1) ?? null, fresh, 'n')
        // Only the last few blocks are known; parents are asked for one by one, as a follower does.
        let known = branch.slice(-Math.min(told, fresh))
        let joint = joinBranch(before.toReversed(), known)
        while (joint.kind === 'parent_unknown') {
          const { parentHash } = joint
          const parent = branch.find((block) => block.hash === parentHash)
          if (parent === undefined) throw new Error('asked for a block that is not in the branch')
          known = [parent, ...known]
          joint = joinBranch(before.toReversed(), known)
        }
        if (joint.kind !== 'joined') throw new Error(`ended as ${joint.kind}`)
        const step = { reverted: joint.reverted, applied: known }
        const after = grow(before.toReversed(), step)
        expect(after).toEqual([...trunk, ...branch].toReversed())
        expect(isChain(after.toReversed())).toBe(true)
      }),
    )
  })
})

describe('the blocks of unfinished steps', () => {
  const trunk = mint(null, 3, 't')
  const [ours, theirs] = ['a', 'b'].map((name) => mint(trunk.at(-1) ?? null, 3, name))
  if (ours === undefined || theirs === undefined) throw new Error('two branches')
  const left = (
    unfinished: readonly BlockRef[],
    step: { reverted?: readonly BlockRef[]; applied: readonly BlockRef[] },
  ) => leftBehind(unfinished, { reverted: [], ...step }).map(({ hash }) => hash)
  const hashes = (blocks: readonly BlockRef[]) => blocks.map(({ hash }) => hash)

  it('are reverted, newest first, when the next step is on another branch', () => {
    expect(left(ours, { applied: theirs })).toEqual(hashes(ours.toReversed()))
    // The new branch is shorter: blocks on a reverted block are reverted too.
    expect(left(ours, { applied: theirs.slice(0, 1) })).toEqual(hashes(ours.toReversed()))
  })

  it('stay when the next step applies them', () => {
    expect(left(ours, { applied: ours })).toEqual([])
  })

  it('are not reverted when the next step ends below them on their own branch', () => {
    expect(left(ours, { applied: ours.slice(0, 1) })).toEqual([])
    expect(left([...ours, ...theirs], { applied: ours.slice(0, 1) })).toEqual(
      hashes(theirs.toReversed()),
    )
  })

  it('are reverted together with the stored block that they build on', () => {
    const [first, ...above] = ours
    const reverted = first === undefined ? [] : [first]
    expect(left(above, { reverted, applied: theirs.slice(0, 1) })).toEqual(
      hashes(above.toReversed()),
    )
  })
})

describe('the remembered part of the chain', () => {
  const recent = mint(null, 100, 'a').toReversed()
  const oldest = (finalized: number | null, windowBlocksMin: number, windowBlocksMax: number) =>
    remember(recent, finalized, { windowBlocksMin, windowBlocksMax }).at(-1)?.number

  it('reaches back to the finalized block', () => {
    expect(oldest(60, 10, 80)).toBe(60)
  })

  it('is never shorter than its minimum, however new the finalized block', () => {
    expect(oldest(99, 10, 80)).toBe(90)
    expect(oldest(500, 10, 80)).toBe(90)
  })

  it('is never longer than its maximum, even when finality stalls or is unknown', () => {
    expect(oldest(3, 10, 80)).toBe(20)
    expect(oldest(null, 10, 80)).toBe(20)
  })
})
