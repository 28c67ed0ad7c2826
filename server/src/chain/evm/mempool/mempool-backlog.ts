import type { Clock } from '../../../ports/clock.ts'
import { isRefusal } from '../node/answer.ts'
import { backoffMs } from '../node/backoff.ts'
import { fieldsOf, toCount } from '../node/hex.ts'
import type { Limits } from '../node/limits.ts'
import type { EvmNode } from '../node/node.ts'

/** A pool with more than this is not asked for whole: its answer would be the largest of all frames. */
const poolReadMax = 10_000

/** A node that goes on refusing is left alone: blocks tell. */
const triesMax = 8

interface Parts {
  readonly node: EvmNode
  readonly clock: Clock
  readonly limits: Pick<Limits, 'backoff'>
}

type Read = (node: EvmNode) => Promise<readonly unknown[] | null>

/**
 * Shows what was pending before a subscription began, in the first of the ways that the node
 * offers: what was broadcast while nobody listened would else be seen only in its block. Never
 * rejects: what is not seen here, blocks tell.
 */
export async function readBacklog(
  { node, clock, limits }: Parts,
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
      // A courtesy; a node in trouble shows elsewhere.
      if (!isRefusal(error)) return
    }
    await clock.sleep(backoffMs(tries, limits.backoff, clock.chance()))
  }
}

/** By sender, then by nonce. What is queued behind a gap cannot run yet and is no sighting. */
const poolContent: Read = async (node) => {
  const status = fieldsOf(await asked(node, 'txpool_status', []))
  if (status === null || toCount(status.pending, 'size of the pool') > poolReadMax) return null
  const bySender = fieldsOf(fieldsOf(await asked(node, 'txpool_content', []))?.pending)
  if (bySender === null) return null
  return Object.values(bySender).flatMap((byNonce) => Object.values(fieldsOf(byNonce) ?? {}))
}

/** Some nodes show the pool here, others only what they signed themselves: an empty list says nothing. */
const pendingList: Read = async (node) => {
  const list = await asked(node, 'eth_pendingTransactions', [])
  return Array.isArray(list) && list.length > 0 ? list : null
}

/** What would be in the next block: the better part of the pool. */
const pendingBlock: Read = async (node) => {
  const block = fieldsOf(await asked(node, 'eth_getBlockByNumber', ['pending', true]))
  return Array.isArray(block?.transactions) ? block.transactions : null
}

async function asked(node: EvmNode, method: string, params: readonly unknown[]): Promise<unknown> {
  const answer = await node.ask(method, params)
  return 'declined' in answer ? null : answer.result
}
