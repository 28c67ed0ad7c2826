import type { BlockRef } from '@settlewire/core/payment/observation'
import type { OpenContest } from '../../../ports/chain.ts'
import { nonceIn } from '../block/contest-key.ts'
import { askAt } from '../node/at-block.ts'
import { toCount } from '../node/hex.ts'
import { inParallel } from '../node/in-parallel.ts'
import { atOnce } from '../node/limits.ts'
import type { EvmNode } from '../node/node.ts'

/** Null for what is no number: one odd answer says nothing, and holds no block. */
function countOr(value: unknown): number | null {
  try {
    return toCount(value, 'number of transactions')
  } catch {
    return null
  }
}

const sendersPerBlock = 256

/**
 * Of the transactions that wait for a slot, those whose nonce was used up by this block, whether or
 * not anything showed what used it: neither a private transaction nor an authorization of EIP-7702
 * is announced. The caller leaves out those that the block itself, or one before it, holds:
 * they used up their own. Asks for a bounded number of senders; of more, each block's number says
 * whose turn it is. A node that cannot tell says nothing.
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
  const asked = [...bySender].slice(from, from + sendersPerBlock)
  const used = await inParallel(asked, atOnce.questions, async ([sender, waiting]) => {
    const count = await askAt(node, { method: 'eth_getTransactionCount', params: [sender] }, block)
    const mined = count === null ? null : countOr(count)
    if (mined === null) return []
    return waiting.filter(({ nonce }) => nonce < mined).map(({ txHash }) => txHash)
  })
  return used.flat()
}
