/** Two nodes of one network whose answers a test can change, and a server that follows them. */
import { afterEach, beforeEach } from 'vitest'
import { type FakeTx, newAddress } from '../support/evm/fake-chain.ts'
import { FakeNode } from '../support/fake-node.ts'
import { Stack, type StackOptions } from './stack.ts'

/** The address of the one allow-listed token. */
export const token = newAddress()
/** The amount of a payment in smallest units. */
export const price = 150_000_000n

/** Call at the top of a `describe`; it passes new nodes to `use` before each test. */
export function twoNodes(use: (node: FakeNode, other: FakeNode) => void) {
  let node: FakeNode
  let other: FakeNode
  let stack: Stack | null = null
  beforeEach(async () => {
    node = await FakeNode.start()
    other = await FakeNode.start()
    other.chain = node.chain
    use(node, other)
  })
  afterEach(async () => {
    await stack?.close()
    stack = null
    await node.close()
    await other.close()
  })
  /** Resolves when the server is at the head of the first node. By default it follows both. */
  const begin = async (
    nodes: readonly FakeNode[] = [node, other],
    options: Partial<StackOptions> = {},
  ): Promise<Stack> => {
    const ports = nodes.map(({ wsUrl }) => Number(new URL(wsUrl).port))
    stack = await Stack.start({ ports, chainId: node.chainId, token, ...options })
    await stack.at(node.chain.head)
    return stack
  }
  /** Mines a block that both nodes have and announce. */
  const mine = (transactions: readonly FakeTx[] = []): void => {
    other.announce(node.mine(transactions))
  }
  return { begin, mine }
}
