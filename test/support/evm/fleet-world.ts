/** Several fake nodes on one chain or on branches, and one follower of all, around each test. */
import { afterEach, beforeEach, expect } from 'vitest'
import type { EvmFollower } from '../../../server/src/chain/evm/follower.ts'
import type { FollowerLimits } from '../../../server/src/chain/evm/node/limits.ts'
import type { ProviderScore } from '../../../server/src/ports/chain.ts'
import { FakeNode } from '../fake-node.ts'
import { ChainLedger } from './chain-ledger.ts'
import { type FakeBlock, FakeChain, type FakeTx, newAddress } from './fake-chain.ts'
import { followerOf, nodeAt, type TestChain } from './labs.ts'

export interface FleetWorld {
  /** Named a, b, c … in the order of configuration. */
  nodes: FakeNode[]
  ledger: ChainLedger
  /** The one allow-listed token. */
  readonly token: string
  /** The first two nodes, for most tests. */
  readonly a: FakeNode
  readonly b: FakeNode
  follow(more?: { chain?: Partial<TestChain>; limits?: Partial<FollowerLimits> }): EvmFollower
  watched(): string
  /** Mines one block that these nodes, or all, have and announce at once. */
  mine(transactions?: readonly FakeTx[], nodes?: readonly FakeNode[]): FakeBlock
  mineMany(blocks: number, nodes?: readonly FakeNode[]): void
  /** Resolves when the ledger is at this node's head. */
  at(node: FakeNode): Promise<void>
  /** Resolves when health reports this reason. */
  says(reason: string | null): Promise<void>
  score(name: string): ProviderScore | undefined
}

/** Call at the top of a `describe`. A step that violates the port fails the present test. */
export function fleetWorld(count: number): FleetWorld {
  const followers: EvmFollower[] = []
  const world: FleetWorld = {
    nodes: [],
    // Set before each test.
    ledger: undefined as unknown as ChainLedger,
    token: newAddress(),
    get a() {
      return nodeOf(world.nodes, 0)
    },
    get b() {
      return nodeOf(world.nodes, 1)
    },
    follow: ({ chain, limits = {} } = {}) => {
      const providers = world.nodes.map(({ wsUrl }, at) => nodeAt('abcdef'.charAt(at), wsUrl))
      const more = { limits }
      const follower = followerOf(
        world.ledger,
        { providers, quorum: 2, tokens: [world.token], ...chain },
        more,
      )
      followers.push(follower)
      follower.start()
      return follower
    },
    watched: () => {
      const address = newAddress()
      world.ledger.watch.addresses.add(address)
      return address
    },
    mine: (transactions = [], nodes = world.nodes) => {
      const block = nodeOf(nodes, 0).chain.mine(transactions)
      for (const node of nodes.slice(1)) node.chain.adopt([block])
      for (const node of nodes) {
        for (const tx of transactions) node.pool.delete(tx.hash)
        node.announce(block)
      }
      return block
    },
    mineMany: (blocks, nodes) => {
      for (let block = 0; block < blocks; block++) world.mine([], nodes)
    },
    at: (node) =>
      world.ledger.until(
        'the head is stored',
        () => world.ledger.stored?.recent[0]?.hash === node.chain.head.hash,
      ),
    says: (reason) =>
      world.ledger.until(`health says ${reason}`, () => world.ledger.lastHealth?.reason === reason),
    score: (name) =>
      followers
        .at(-1)
        ?.health()
        .providers?.find((provider) => provider.name === name),
  }
  beforeEach(async () => {
    world.ledger = new ChainLedger()
    world.nodes = await Promise.all(Array.from({ length: count }, () => FakeNode.start()))
    const chain = new FakeChain()
    for (const node of world.nodes) node.chain = chain.fork()
  })
  afterEach(async () => {
    for (const follower of followers.splice(0)) await follower.close()
    for (const node of world.nodes) await node.close()
    expect(world.ledger.violations).toEqual([])
  })
  return world
}

function nodeOf(nodes: readonly FakeNode[], at: number): FakeNode {
  const node = nodes[at]
  if (node === undefined) throw new Error(`no node ${at}`)
  return node
}
