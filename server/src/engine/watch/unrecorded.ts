import type { ChainStep } from '../../ports/chain.ts'
import type { Log } from '../../ports/log.ts'

/**
 * Names the blocks that speak of a payment whose stored state cannot be read. What they say of it is not
 * on record, and the chain does not come back to them: a person has them read again with
 * `settlewire rescan` once the payment can be read.
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
      'blocks speak of a payment that cannot be read, and are not recorded for it: read them again once it can',
    )
  }
}
