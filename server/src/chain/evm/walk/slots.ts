import type { BlockRef } from '@settlewire/core/payment/observation'
import type { OpenContest } from '../../../ports/chain.ts'
import { nonceIn } from '../block/contest-key.ts'
import { askAt } from '../node/at-block.ts'
import { toCount } from '../node/hex.ts'
import { inParallel } from '../node/in-parallel.ts'
import { atOnce } from '../node/limits.ts'
import type { EvmNode } from '../node/node.ts'

/** Null for an invalid count: one malformed answer must not hold up a block. */
function countOr(value: unknown): number | null {
  try {
    return toCount(value, 'number of transactions')
  } catch {
    return null
  }
}

const sendersPerBlock = 256

/**
 * The transactions whose nonce was used by this block, whether or not a node showed what used it:
 * neither a private transaction nor an authorization of EIP-7702 is announced. The caller leaves
 * out those that this block or an earlier one holds, since they used their own nonce. Asks for a
 * bounded number of senders per block; beyond that, the block number decides whose turn it is. A
 * node that cannot answer yields no result.
 */
export async function usedSlots(
  node: EvmNode,
  open: Iterable<OpenContest>,
  block: Pick<BlockRef, 'hash' | 'number'>,
): Promise<readonly string[]> {
  const bySender = new Map<string, { readonly txHash: string; readonly nonce: number }[]>()
  for (const { txHash, key } of open) {
    const { sender, nonce } = nonceIn(key)
    const waiting = bySender.get(sender)
    if (waiting === undefined) bySender.set(sender, [{ txHash, nonce }])
    else waiting.push({ txHash, nonce })
  }
  const turns = Math.ceil(bySender.size / sendersPerBlock)
  const from = turns < 2 ? 0 : (block.number % turns) * sendersPerBlock
  const chosen = [...bySender].slice(from, from + sendersPerBlock)
  const used = await inParallel(chosen, atOnce.questions, async ([sender, waiting]) => {
    const count = await askAt(node, { method: 'eth_getTransactionCount', params: [sender] }, block)
    const mined = count === null ? null : countOr(count)
    if (mined === null) return []
    return waiting.filter(({ nonce }) => nonce < mined).map(({ txHash }) => txHash)
  })
  return used.flat()
}
