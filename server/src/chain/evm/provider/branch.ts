import type { BlockRef } from '@settlewire/core/payment/observation'
import type { FollowerLimits } from '../node/limits.ts'

/**
 * How blocks that a node calls canonical relate to the stored blocks.
 * - `joined`: they build on stored block `recent[reverted.length]`; the blocks above it are
 * reverted.
 * - `parent_unknown`: the parent of the first block is needed to decide.
 * - `broken`: they are not a chain, so the node changed its branch while it answered.
 * - `too_deep`: they fork from the stored chain below every remembered block.
 */
export type Joint =
  | { readonly kind: 'joined'; readonly reverted: readonly BlockRef[] }
  | { readonly kind: 'parent_unknown'; readonly parentHash: string }
  | { readonly kind: 'broken' }
  | { readonly kind: 'too_deep' }

/**
 * Joins blocks (oldest first) to the stored chain (newest first) by `parentHash` alone. Numbers
 * only tell when to give up.
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
 * The blocks of unfinished steps that are not on the chain after this step, newest first: another
 * block is at their height, or their parent is not on the chain. Blocks above the last block of the
 * step may still follow.
 */
export function leftBehind(
  blocks: readonly BlockRef[],
  step: { readonly reverted: readonly BlockRef[]; readonly applied: readonly BlockRef[] },
): readonly BlockRef[] {
  const height = step.applied.at(-1)?.number ?? 0
  const applied = new Set(step.applied.map(({ hash }) => hash))
  const gone = new Set(step.reverted.map(({ hash }) => hash))
  const left: BlockRef[] = []
  for (const block of blocks.toSorted((a, b) => a.number - b.number)) {
    const { number, hash, parentHash } = block
    if (applied.has(hash) || gone.has(hash)) continue
    if (number > height && !gone.has(parentHash)) continue
    gone.add(hash)
    left.unshift(block)
  }
  return left
}

/**
 * The blocks to remember: back to the finalized block where it is known, within the limits. No
 * reorg is followed below them. The store keeps as many.
 */
export function remember(
  recent: readonly BlockRef[],
  finalized: number | null,
  { windowBlocksMin, windowBlocksMax }: Pick<FollowerLimits, 'windowBlocksMin' | 'windowBlocksMax'>,
): readonly BlockRef[] {
  const head = recent[0]?.number ?? 0
  const least = Math.max(head - windowBlocksMax + 1, Math.min(finalized ?? 0, head))
  return recent.filter(({ number }) => number >= least || number > head - windowBlocksMin)
}
