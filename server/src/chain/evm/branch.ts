import type { BlockRef } from '@settlewire/core/observation'

/**
 * How blocks a node calls canonical stand to the blocks that were stored.
 * - `joined`: they grow on stored block `recent[reverted.length]`; what is above it is undone.
 * - `parent_unknown`: the block before the first is needed to tell.
 * - `broken`: they are no chain, so the node changed its mind while it answered.
 * - `too_deep`: they leave the stored chain below everything that is still remembered.
 */
export type Joint =
  | { readonly kind: 'joined'; readonly reverted: readonly BlockRef[] }
  | { readonly kind: 'parent_unknown'; readonly parentHash: string }
  | { readonly kind: 'broken' }
  | { readonly kind: 'too_deep' }

/**
 * Joins blocks (oldest first) to the stored chain (newest first) by `parentHash` alone. Numbers
 * only tell when to give up: hashes decide.
 */
export function joinBranch(recent: readonly BlockRef[], blocks: readonly BlockRef[]): Joint {
  if (!isChain(blocks)) return { kind: 'broken' }
  const first = blocks[0]
  const oldest = recent.at(-1)
  if (first === undefined || oldest === undefined) return { kind: 'broken' }
  const at = recent.findIndex((stored) => stored.hash === first.parentHash)
  if (at >= 0) return { kind: 'joined', reverted: recent.slice(0, at) }
  if (first.number <= oldest.number + 1) return { kind: 'too_deep' }
  return { kind: 'parent_unknown', parentHash: first.parentHash }
}

/** Whether each block is the child of the one before. */
export const isChain = (blocks: readonly BlockRef[]): boolean =>
  blocks.every((block, at) => {
    const parent = blocks[at - 1]
    return (
      parent === undefined ||
      (block.parentHash === parent.hash && block.number === parent.number + 1)
    )
  })

/** The stored chain after a step: newest first, no longer than `windowBlocks`. */
export const advance = (
  recent: readonly BlockRef[],
  step: { readonly reverted: readonly BlockRef[]; readonly applied: readonly BlockRef[] },
  windowBlocks: number,
): readonly BlockRef[] =>
  [...step.applied.toReversed(), ...recent.slice(step.reverted.length)].slice(0, windowBlocks)
