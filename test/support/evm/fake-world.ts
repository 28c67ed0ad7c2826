/** A fake node, its follower and the ledger that it fills, opened and closed around each test. */
import { afterEach, beforeEach, expect } from 'vitest'
import type { EvmFollower } from '../../../server/src/chain/evm/follower.ts'
import type { FollowerLimits } from '../../../server/src/chain/evm/node/limits.ts'
import type { Log } from '../../../server/src/ports/log.ts'
import { FakeNode } from '../fake-node.ts'
import { ChainLedger } from './chain-ledger.ts'
import { newAddress } from './fake-chain.ts'
import { followerOf, nodeAt, type TestChain } from './labs.ts'

export interface FakeWorld {
  node: FakeNode
  ledger: ChainLedger
  /** The one allow-listed token. */
  readonly token: string
  /** Starts a follower; it does not close an earlier one. */
  follow(more?: {
    chain?: Partial<TestChain>
    limits?: Partial<FollowerLimits>
    log?: Log
  }): EvmFollower
  /** A watched address that was never paid. */
  watched(): string
  /** Resolves when the ledger is at the node's head and the chain is seen. */
  atHead(): Promise<void>
}

/** Call at the top of a `describe`. A step that violates the port fails the present test. */
export function fakeWorld(): FakeWorld {
  const token = newAddress()
  const followers: EvmFollower[] = []
  const world: FakeWorld = {
    // Both are set before each test.
    node: undefined as unknown as FakeNode,
    ledger: undefined as unknown as ChainLedger,
    token,
    follow: ({ chain, limits, log } = {}) => {
      const providers = [nodeAt('fake', world.node.wsUrl)]
      const follower = followerOf(
        world.ledger,
        { providers, tokens: [token], ...chain },
        { ...(limits !== undefined && { limits }), ...(log !== undefined && { log }) },
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
    atHead: () =>
      world.ledger.until(
        'the head is stored and the chain is seen',
        () =>
          world.ledger.stored?.recent[0]?.hash === world.node.chain.head.hash &&
          world.ledger.lastHealth?.visibility === 'ok',
      ),
  }
  beforeEach(async () => {
    world.node = await FakeNode.start()
    world.ledger = new ChainLedger()
  })
  afterEach(async () => {
    for (const follower of followers.splice(0)) await follower.close()
    await world.node.close()
    expect(world.ledger.violations).toEqual([])
  })
  return world
}
