import type { SeenTransfer } from '@settlewire/core/payment/observation'
import type { AppliedBlock, Corroborated, WatchSet } from '../../../ports/chain.ts'
import { type BlockContents, isComplete, judge } from '../block/verdict.ts'
import type { Header } from '../node/node.ts'
import type { Provider } from '../provider/provider.ts'
import type { Ballot } from './ballot.ts'

/**
 * The transfers that a provider shows beyond the known ones. Null if there are no more, or if its
 * answers are incomplete or contradict each other.
 */
export function moreIn(
  contents: BlockContents,
  { transfers, taken }: { transfers: readonly SeenTransfer[]; taken: ReadonlySet<string> },
  watch: WatchSet,
): AppliedBlock | null {
  if (contents.transfers.length === 0 || !isComplete(contents, watch)) return null
  const applied = judged(contents, watch)
  if (applied === null) return null
  const more = applied.transfers.filter(({ txHash }) => {
    const isOf = (transfer: SeenTransfer): boolean => transfer.txHash === txHash
    return !taken.has(txHash) && holdsMore(applied.transfers.filter(isOf), transfers.filter(isOf))
  })
  return more.length === 0 ? null : { ...applied, transfers: more }
}

/**
 * What to keep of a provider's logs. A reported block cannot pay an address that is watched only
 * later, so its transfers are dropped when none is ours.
 */
export function kept(
  contents: BlockContents,
  { recorded }: Pick<Ballot<Provider>, 'recorded'>,
  watch: WatchSet,
): BlockContents {
  if (recorded === null || !isComplete(contents, watch)) return contents
  const paysNothing = judged(contents, watch)?.transfers.length === 0
  return paysNothing ? { ...contents, transfers: [], found: null } : contents
}

/** A header without the transactions that its reader listed. */
export const bareOf = (header: Header): Header => ({
  ...header,
  txHashes: null,
  values: null,
  listed: null,
})

/** Whether it is the sum of many transfers that are not on record individually. */
export const isSum = ({ part }: SeenTransfer): boolean => `${part}`.startsWith('sum:')

/** The transfers of a block to us, by transaction. */
export function inclusionsOf({ block, transfers }: AppliedBlock): Corroborated[] {
  const byHash = Map.groupBy(transfers, ({ txHash }) => txHash)
  return [...byHash].map(([txHash, moved]) => ({ txHash, block, transfers: moved }))
}

/** Adds what other providers show to the blocks; it replaces the same transaction there. */
export function together(
  applied: readonly AppliedBlock[],
  beside: readonly AppliedBlock[],
): AppliedBlock[] {
  const whole = new Map(applied.map((block) => [block.block.hash, block]))
  for (const more of beside) {
    const block = whole.get(more.block.hash)
    const added = new Set(more.transfers.map(({ txHash }) => txHash))
    const isOther = ({ txHash }: { readonly txHash: string }): boolean => !added.has(txHash)
    whole.set(more.block.hash, {
      block: more.block,
      transfers: [...(block?.transfers.filter(isOther) ?? []), ...more.transfers],
      movedNothing: block?.movedNothing.filter(isOther) ?? [],
      sources: new Map([...(block?.sources ?? []), ...(more.sources ?? [])]),
      deniedBy: new Map([...(block?.deniedBy ?? []), ...(more.deniedBy ?? [])]),
      calls: new Map([...(block?.calls ?? []), ...(more.calls ?? [])]),
    })
  }
  return [...whole.values()]
}

/** Null when the provider's own answers contradict each other: they then count as no answer. */
function judged(block: BlockContents, watch: WatchSet): AppliedBlock | null {
  try {
    return judge(block, watch)
  } catch {
    return null
  }
}

/** Whether the first list holds every transfer of the second, and more. */
const holdsMore = (whole: readonly SeenTransfer[], part: readonly SeenTransfer[]): boolean =>
  whole.length > part.length &&
  part.every((one) =>
    whole.some(
      ({ part, to, amount }) => part === one.part && to === one.to && amount === one.amount,
    ),
  )
