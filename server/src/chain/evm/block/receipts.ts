import { Failure } from '@settlewire/core/errors'
import { orRefused } from '../node/answer.ts'
import { inParallel } from '../node/in-parallel.ts'
import { atOnce } from '../node/limits.ts'
import type { EvmNode, Header, Receipt } from '../node/node.ts'

/** By transaction; null where the node does not show the receipt. */
export type Receipts = Map<string, Receipt | null>

/**
 * All receipts of a block. Receipts that are missing from the joint answer, or belong to another
 * block, are asked for one by one: not every node has `eth_getBlockReceipts`, and some leave out
 * their own system transactions.
 */
export async function receiptsOf(
  node: EvmNode,
  { ref, txHashes, odd = [] }: Pick<Header, 'ref' | 'txHashes' | 'odd'>,
): Promise<Receipts> {
  const { hash: blockHash } = ref
  const together = await orRefused(node.blockReceipts(blockHash))
  const listed = new Set(txHashes)
  // Only a block with a transaction without a hash may have a receipt that it does not list.
  const isWhole = odd.every(({ txHash }) => txHash !== null)
  const receipts: Receipts = new Map()
  for (const receipt of together === 'refused' ? [] : (together ?? [])) {
    if (receipt.blockHash !== blockHash || (isWhole && !listed.has(receipt.txHash))) continue
    receipts.set(receipt.txHash, receipt)
  }
  const missing = [...listed].filter((txHash) => !receipts.has(txHash))
  await fetchReceipts(node, { blockHash, receipts }, missing)
  // One missing receipt may be due to its transaction; if all are missing, the node is at fault.
  const isNone = listed.size > 1 && [...listed].every((txHash) => receipts.get(txHash) === null)
  if (isNone) throw unread('returned no receipt of a block')
  return receipts
}

/** Asks for receipts one by one. */
export async function fetchReceipts(
  node: EvmNode,
  { blockHash, receipts }: { readonly blockHash: string; readonly receipts: Receipts },
  txHashes: readonly string[],
): Promise<void> {
  await inParallel(txHashes, atOnce.questions, async (txHash) => {
    const receipt = await node.receipt(txHash)
    receipts.set(txHash, receipt?.blockHash === blockHash ? receipt : null)
  })
}

/** The node cannot show a complete block: asking again, or another node, may help. */
export const unread = (why: string): Failure => new Failure('chain_unavailable', `The node ${why}.`)
