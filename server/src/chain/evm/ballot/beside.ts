import type { SeenTransfer } from '@settlewire/core/payment/observation'
import type { AppliedBlock, Corroborated, WatchSet } from '../../../ports/chain.ts'
import { type BlockContents, isComplete, judge } from '../block/verdict.ts'
import type { Header } from '../node/node.ts'
import type { Provider } from '../provider/provider.ts'
import type { Ballot } from './ballot.ts'

/** What a provider shows on top of what is shown; null when that is nothing. */
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

/** What is remembered of it: of a block that was told already, nothing is for who joins from now on. */
export function kept(
  contents: BlockContents,
  { told }: Pick<Ballot<Provider>, 'told'>,
  watch: WatchSet,
): BlockContents {
  if (told === null || !isComplete(contents, watch)) return contents
  const isForNobody = judged(contents, watch)?.transfers.length === 0
  return isForNobody ? { ...contents, transfers: [], found: null } : contents
}

/** A block without what its reader says that it holds. */
export const bareOf = (header: Header): Header => ({
  ...header,
  ...{ txHashes: null, values: null, listed: null },
})

/** Whether it stands for many that are not on record one by one. */
export const isSum = ({ part }: SeenTransfer): boolean => `${part}`.startsWith('sum:')

/** What a block is said to hold for us, by transaction. */
export function inclusionsOf({ block, transfers }: AppliedBlock): Corroborated[] {
  const byHash = Map.groupBy(transfers, ({ txHash }) => txHash)
  return [...byHash].map(([txHash, moved]) => ({ txHash, block, transfers: moved }))
}

/** The blocks with what others show beside; of a transaction that both show, the fuller one counts. */
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

/** Null when the provider's own answers contradict each other: then it has shown nothing. */
function judged(block: BlockContents, watch: WatchSet): AppliedBlock | null {
  try {
    return judge(block, watch)
  } catch {
    return null
  }
}

/** Whether there is all of the other, and something on top. */
const holdsMore = (whole: readonly SeenTransfer[], part: readonly SeenTransfer[]): boolean =>
  whole.length > part.length &&
  part.every((one) =>
    whole.some(
      ({ part, to, amount }) => part === one.part && to === one.to && amount === one.amount,
    ),
  )
