import type { BlockRef } from '@settlewire/core/payment/observation'
import { quantity } from './hex.ts'
import type { EvmNode } from './node.ts'

/**
 * Asks for state as of exactly one block, by its hash (EIP-1898), passed as the last parameter. A
 * node that accepts only numbers is asked by number; its answer counts only if the number meant
 * this block both before and after. Null when the node cannot tell: it does not have the block yet,
 * or no longer has its state.
 */
export async function askAt(
  node: EvmNode,
  question: { readonly method: string; readonly params: readonly unknown[] },
  { hash, number }: Pick<BlockRef, 'hash' | 'number'>,
): Promise<unknown> {
  const { method, params } = question
  const byHash = await node.ask(method, [...params, { blockHash: hash }])
  if (!('declined' in byHash)) return byHash.result
  const isCanonical = async () => (await node.byNumber(number, false))?.ref.hash === hash
  if (!(await isCanonical())) return null
  const byNumber = await node.ask(method, [...params, quantity(number)])
  if ('declined' in byNumber || !(await isCanonical())) return null
  return byNumber.result
}
