import type { BlockRef } from '@settlewire/core/observation'
import type { OpenSlot } from '../../ports.ts'
import { askAt } from './at-block.ts'
import { toCount } from './hex.ts'
import { inParallel } from './in-parallel.ts'
import type { EvmNode } from './node.ts'

const sendersPerBlock = 256
const atOnce = 16

/**
 * Of the transactions that wait for a slot, those whose nonce was used up by this block, whether or
 * not anything showed what used it: a private transaction, or an authorization of EIP-7702, is
 * announced by nobody. The caller leaves out those that the block itself, or one before it, holds:
 * they used up their own. Asks for a bounded number of senders; of more, each block's number says
 * whose turn it is. A node that cannot tell says nothing.
 */
export async function usedSlots(
  node: EvmNode,
  openSlots: Iterable<OpenSlot>,
  block: Pick<BlockRef, 'hash' | 'number'>,
): Promise<readonly string[]> {
  const bySender = new Map<string, OpenSlot[]>()
  for (const slot of openSlots) {
    const open = bySender.get(slot.sender)
    if (open === undefined) bySender.set(slot.sender, [slot])
    else open.push(slot)
  }
  const turns = Math.ceil(bySender.size / sendersPerBlock)
  const from = turns < 2 ? 0 : (block.number % turns) * sendersPerBlock
  const asked = [...bySender].slice(from, from + sendersPerBlock)
  const used = await inParallel(asked, atOnce, async ([sender, slots]) => {
    const count = await askAt(node, { method: 'eth_getTransactionCount', params: [sender] }, block)
    if (count === null) return []
    const mined = toCount(count, 'number of transactions')
    return slots.filter(({ nonce }) => nonce < mined).map(({ txHash }) => txHash)
  })
  return used.flat()
}
