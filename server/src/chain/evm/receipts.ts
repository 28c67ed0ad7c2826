import { Failure } from '@settlewire/core/errors'
import { orRefused } from './answer.ts'
import { inParallel } from './in-parallel.ts'
import type { EvmNode, Receipt } from './node.ts'

export const receiptsAtOnce = 16

/** All receipts of a block. Throws `chain_unavailable` unless they are complete and of that block. */
export async function receiptsOf(
  node: EvmNode,
  blockHash: string,
  txHashes: readonly string[],
): Promise<readonly Receipt[]> {
  const together = await orRefused(node.blockReceipts(blockHash))
  if (together === null || together === 'refused') {
    // Not every node has the call, or lets all use it; every node has receipts.
    return inParallel(txHashes, receiptsAtOnce, (txHash) => receiptOf(node, txHash, blockHash))
  }
  const complete = together.length === txHashes.length
  if (!complete || together.some((receipt) => receipt.blockHash !== blockHash)) {
    throw unread('lacks receipts of a block')
  }
  return together
}

/** Throws `chain_unavailable` unless the node shows it in that block. */
export async function receiptOf(
  node: EvmNode,
  txHash: string,
  blockHash: string,
): Promise<Receipt> {
  const receipt = await node.receipt(txHash)
  if (receipt?.blockHash !== blockHash) throw unread('lacks a receipt of a block')
  return receipt
}

/** The node cannot show all of a block: asking again, or another node, may help. */
export const unread = (why: string): Failure => new Failure('chain_unavailable', `The node ${why}.`)
