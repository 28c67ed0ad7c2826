import type { Clock } from '../../../ports/clock.ts'
import { isRefusal } from '../node/answer.ts'
import { backoffMs } from '../node/backoff.ts'
import { fieldsOf, toCount } from '../node/hex.ts'
import type { FollowerLimits } from '../node/limits.ts'
import type { EvmNode } from '../node/node.ts'

/** A larger pool is not read in full: its answer would be the largest of all messages. */
const poolReadMax = 10_000

/** A node that keeps refusing is not asked again: blocks will show its transactions. */
const triesMax = 8

interface BacklogParts {
  readonly node: EvmNode
  readonly clock: Clock
  readonly limits: Pick<FollowerLimits, 'backoff'>
}

type PoolRead = (node: EvmNode) => Promise<readonly unknown[] | null>

/**
 * Reads the transactions that were pending before a subscription began, by the first method that
 * the node supports: otherwise a transaction broadcast before that would be seen only in its block.
 * Never rejects: blocks show whatever is missed here.
 */
export async function readBacklog(
  { node, clock, limits }: BacklogParts,
  match: (transaction: unknown) => void,
): Promise<void> {
  for (let tries = 0; tries < triesMax; tries++) {
    try {
      for (const read of [poolContent, pendingList, pendingBlock]) {
        const transactions = await read(node)
        if (transactions === null) continue
        for (const transaction of transactions) match(transaction)
        return
      }
      return
    } catch (error) {
      // This read is optional; a failing node is noticed elsewhere.
      if (!isRefusal(error)) return
    }
    await clock.sleep(backoffMs(tries, limits.backoff, clock.chance()))
  }
}

/** By sender, then by nonce. Transactions behind a nonce gap cannot run yet and are left out. */
const poolContent: PoolRead = async (node) => {
  const status = fieldsOf(await resultOf(node, 'txpool_status', []))
  if (status === null || toCount(status.pending, 'size of the pool') > poolReadMax) return null
  const bySender = fieldsOf(fieldsOf(await resultOf(node, 'txpool_content', []))?.pending)
  if (bySender === null) return null
  return Object.values(bySender).flatMap((byNonce) => Object.values(fieldsOf(byNonce) ?? {}))
}

/**
 * Some nodes return the pool, others only transactions they signed: an empty list proves nothing.
 */
const pendingList: PoolRead = async (node) => {
  const list = await resultOf(node, 'eth_pendingTransactions', [])
  return Array.isArray(list) && list.length > 0 ? list : null
}

/** The transactions planned for the next block: most of the pool. */
const pendingBlock: PoolRead = async (node) => {
  const block = fieldsOf(await resultOf(node, 'eth_getBlockByNumber', ['pending', true]))
  return Array.isArray(block?.transactions) ? block.transactions : null
}

/** The node's result; null when it does not support the method. */
async function resultOf(
  node: EvmNode,
  method: string,
  params: readonly unknown[],
): Promise<unknown> {
  const answer = await node.ask(method, params)
  return 'declined' in answer ? null : answer.result
}
