import type { ChainStep } from '../../ports/chain.ts'
import type { Log } from '../../ports/log.ts'

/**
 * Logs the blocks with transactions of a payment whose stored state cannot be read. These
 * transactions are not recorded, and the follower does not return to the blocks: once the payment
 * can be read, the operator must read the blocks again with `npx settlewire rescan`.
 */
export function logUnrecorded(
  log: Log,
  {
    chain,
    step,
    ids,
  }: { readonly chain: string; readonly step: ChainStep } & {
    readonly ids: readonly string[]
  },
): void {
  if (ids.length === 0) return
  const applied = [...(step.late ?? []), ...step.applied].map(({ block }) => block)
  const numbers = [...step.reverted, ...applied].map(({ number }) => number)
  const stretch = { from: Math.min(...numbers), to: Math.max(...numbers) }
  for (const paymentId of ids) {
    log.error(
      { paymentId, chain, ...stretch },
      'blocks were not recorded for a payment that cannot be read; once it can, run `npx settlewire rescan` for them',
    )
  }
}
