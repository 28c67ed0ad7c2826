import type { BlockRef } from '@settlewire/core/payment/observation'
import type { Limits } from '../node/limits.ts'

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

/** The block of that number in a chain without gaps (newest first). */
export const blockAt = (recent: readonly BlockRef[], number: number): BlockRef | undefined =>
  recent[(recent[0]?.number ?? 0) - number]

/** Whether each block is the child of the one before. */
export const isChain = (blocks: readonly BlockRef[]): boolean =>
  blocks.every((block, at) => {
    const parent = blocks[at - 1]
    return (
      parent === undefined ||
      (block.parentHash === parent.hash && block.number === parent.number + 1)
    )
  })

/** The chain after a step, newest first. */
export function grow(
  recent: readonly BlockRef[],
  step: { readonly reverted: readonly BlockRef[]; readonly applied: readonly BlockRef[] },
): readonly BlockRef[] {
  const gone = new Set(step.reverted.map(({ hash }) => hash))
  const left = recent.findIndex(({ hash }) => !gone.has(hash))
  return [...step.applied.toReversed(), ...(left < 0 ? [] : recent.slice(left))]
}

/**
 * The blocks of unfinished steps that are not on the chain after this step, newest first: another block
 * is at their height, or their parent is not on it. What builds on the last block may still come.
 */
export function leftBehind(
  blocks: readonly BlockRef[],
  step: { readonly reverted: readonly BlockRef[]; readonly applied: readonly BlockRef[] },
): readonly BlockRef[] {
  const height = step.applied.at(-1)?.number ?? 0
  const stands = new Set(step.applied.map(({ hash }) => hash))
  const gone = new Set(step.reverted.map(({ hash }) => hash))
  const left: BlockRef[] = []
  for (const block of blocks.toSorted((a, b) => a.number - b.number)) {
    const { number, hash, parentHash } = block
    if (stands.has(hash) || gone.has(hash)) continue
    if (number > height && !gone.has(parentHash)) continue
    gone.add(hash)
    left.unshift(block)
  }
  return left
}

/**
 * What is remembered of it: back to what the node calls finalized, as far as that is known and
 * within the bounds. Below, no reorg is followed. The store keeps as much.
 */
export function remember(
  recent: readonly BlockRef[],
  finalized: number | null,
  { windowBlocksMin, windowBlocksMax }: Pick<Limits, 'windowBlocksMin' | 'windowBlocksMax'>,
): readonly BlockRef[] {
  const head = recent[0]?.number ?? 0
  const least = Math.max(head - windowBlocksMax + 1, Math.min(finalized ?? 0, head))
  return recent.filter(({ number }) => number >= least || number > head - windowBlocksMin)
}
