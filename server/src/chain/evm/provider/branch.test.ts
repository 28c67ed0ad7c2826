import type { BlockRef } from '@settlewire/core/payment/observation'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grow, isChain, joinBranch, leftBehind, remember } from './branch.ts'

/** A chain of blocks on a parent, oldest first; `name` makes its hashes its own. */
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

  it('grows on the head when the first block is its child', () => {
    expect(joinBranch(recent, mint(recent[0] ?? null, 3, 'a'))).toEqual({
      kind: 'joined',
      reverted: [],
    })
  })

  it('undoes, newest first, what stands above the common ancestor', () => {
    const fork = mint(stored[6] ?? null, 5, 'b')
    expect(joinBranch(recent, fork)).toEqual({
      kind: 'joined',
      reverted: [stored[9], stored[8], stored[7]],
    })
  })

  it('asks for the parent when the ancestor is not reached yet', () => {
    const fork = mint(stored[4] ?? null, 8, 'b').slice(3)
    expect(joinBranch(recent, fork)).toEqual({ kind: 'parent_unknown', parentHash: 'b7' })
  })

  it('is too deep when the branch leaves below the oldest block that is remembered', () => {
    const oldest = mint(null, 30, 'a')
    const remembered = oldest.slice(20).toReversed()
    const fork = mint(oldest[10] ?? null, 15, 'b')
    expect(joinBranch(remembered, fork.slice(9))).toMatchObject({ kind: 'too_deep' })
    expect(joinBranch(remembered, fork.slice(10))).toMatchObject({ kind: 'too_deep' })
    expect(joinBranch(remembered, fork.slice(11))).toMatchObject({ kind: 'parent_unknown' })
  })

  it('is broken when the blocks are no chain, or there are none', () => {
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

  it('leads from any chain to any other in bounded steps, and never applies on a wrong parent', () => {
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
        // Only the last few are told; parents are asked for one by one, as a follower does.
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

describe('what unfinished steps spoke of', () => {
  const trunk = mint(null, 3, 't')
  const [ours, theirs] = ['a', 'b'].map((name) => mint(trunk.at(-1) ?? null, 3, name))
  if (ours === undefined || theirs === undefined) throw new Error('two branches')
  const left = (
    unfinished: readonly BlockRef[],
    step: { reverted?: readonly BlockRef[]; applied: readonly BlockRef[] },
  ) => leftBehind(unfinished, { reverted: [], ...step }).map(({ hash }) => hash)
  const hashes = (blocks: readonly BlockRef[]) => blocks.map(({ hash }) => hash)

  it('is undone, newest first, where the next step is on another branch', () => {
    expect(left(ours, { applied: theirs })).toEqual(hashes(ours.toReversed()))
    // Not as high yet: what builds on a block that is gone is gone.
    expect(left(ours, { applied: theirs.slice(0, 1) })).toEqual(hashes(ours.toReversed()))
  })

  it('stays where the next step applies it', () => {
    expect(left(ours, { applied: ours })).toEqual([])
  })

  it('may still come where the next step ends below it, on its own branch', () => {
    expect(left(ours, { applied: ours.slice(0, 1) })).toEqual([])
    expect(left([...ours, ...theirs], { applied: ours.slice(0, 1) })).toEqual(
      hashes(theirs.toReversed()),
    )
  })

  it('is undone together with the stored block that it builds on', () => {
    const [first, ...above] = ours
    const reverted = first === undefined ? [] : [first]
    expect(left(above, { reverted, applied: theirs.slice(0, 1) })).toEqual(
      hashes(above.toReversed()),
    )
  })
})

describe('what is remembered of the chain', () => {
  const recent = mint(null, 100, 'a').toReversed()
  const oldest = (finalized: number | null, windowBlocksMin: number, windowBlocksMax: number) =>
    remember(recent, finalized, { windowBlocksMin, windowBlocksMax }).at(-1)?.number

  it('reaches back to what is final', () => {
    expect(oldest(60, 10, 80)).toBe(60)
  })

  it('never falls below its least, however much is final', () => {
    expect(oldest(99, 10, 80)).toBe(90)
    expect(oldest(500, 10, 80)).toBe(90)
  })

  it('never grows above its most, although finality stalls or is unknown', () => {
    expect(oldest(3, 10, 80)).toBe(20)
    expect(oldest(null, 10, 80)).toBe(20)
  })
})
