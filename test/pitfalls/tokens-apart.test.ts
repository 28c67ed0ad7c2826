/** Two processes with different token lists share one database, as in a rolling deploy. */
import { afterEach, describe, expect, it } from 'vitest'
import { evm } from '../../server/src/chain/evm/evm-kind.ts'
import { EvmFollower } from '../../server/src/chain/evm/follower.ts'
import type { ChainConfig } from '../../server/src/chain-config.ts'
import { systemClock } from '../../server/src/clock.ts'
import { withOpenTokens } from '../../server/src/compose/chains.ts'
import { Followers } from '../../server/src/compose/followers.ts'
import { silentLog } from '../../server/src/log.ts'
import { silentMetrics } from '../../server/src/metrics.ts'
import { newAddress, tokenTx } from '../support/evm/fake-chain.ts'
import { chainOf, nodeAt, quickLimits } from '../support/evm/labs.ts'
import type { FakeNode } from '../support/fake-node.ts'
import type { Stack } from './stack.ts'
import { price, token, twoNodes } from './two-nodes.ts'

describe('a token that only another process offers', () => {
  let node: FakeNode
  let followers: Followers
  const { begin, mine } = twoNodes((first) => {
    node = first
  })
  afterEach(() => followers.close())

  /** The followers of a process that is configured with one token only. */
  const followersOf = ({ engine, store }: Stack): Followers => {
    const providers = [nodeAt('node-1', node.wsUrl)]
    const chain = chainOf({ chainId: node.chainId, tokens: [token], providers, quorum: 1 })
    followers = new Followers()
    followers.open({
      ...{ store: store.events, watcher: engine.watcher, index: engine.index },
      ...{ clock: systemClock, log: silentLog, metrics: silentMetrics },
      // Only the part of a configuration that followers read.
      chains: [{ ...chain, kind: evm.name } as unknown as ChainConfig],
      adapters: [
        {
          kind: evm,
          follow: (_chain, { openTokens, ...parts }) =>
            new EvmFollower({
              ...parts,
              chain: withOpenTokens(chain, openTokens),
              limits: quickLimits,
            }),
          checkAssets: () => Promise.reject(new Error('not asked')),
        },
      ],
    })
    return followers
  }

  it('is watched by a running process from the block after a payment that accepts it was opened', async () => {
    const added = newAddress()
    const world = await begin([node], { asset: { token: added } })
    await world.follower.close()
    followersOf(world).start('local')
    mine()
    await world.at(node.chain.head)
    const before = followers.followerOf('local')
    const { id, address } = await world.open()
    mine([tokenTx(added, address, price)])
    await world.until(id, 'money on record', ({ received }) => {
      mine()
      return received === price
    })
    const after = followers.followerOf('local')
    expect(after).not.toBe(before)
    // Once the token is watched, the follower is not replaced again.
    const second = await world.open()
    mine([tokenTx(added, second.address, price)])
    await world.until(second.id, 'money on record', ({ received }) => {
      mine()
      return received === price
    })
    expect(followers.followerOf('local')).toBe(after)
  })

  it('is watched by a follower that starts after a payment that accepts it was opened', async () => {
    const dropped = newAddress()
    const world = await begin([node], { asset: { token: dropped } })
    await world.follower.close()
    const opened = followersOf(world)
    const { id, address } = await world.open()
    opened.start('local')
    mine([tokenTx(dropped, address, price)])
    await world.until(id, 'money on record', ({ received }) => {
      mine()
      return received === price
    })
    expect(opened.followerOf('local')).not.toBeNull()
  })
})
