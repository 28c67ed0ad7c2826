import { describe, expect, it } from 'vitest'
import { FakeChain, nativeTx, tokenTx } from '../../../../test/support/evm/fake-chain.ts'
import { fakeWorld } from '../../../../test/support/evm/fake-world.ts'
import { openAnvilLab, openFakeLab } from '../../../../test/support/evm/labs.ts'
import { FakeNode, Refused, silence } from '../../../../test/support/fake-node.ts'
import { silentLog } from '../../log.ts'
import type { Log } from '../../ports/log.ts'
import { chainFollowerContract } from '../contract.ts'
import { evm } from './evm-kind.ts'

chainFollowerContract('EVM on a real anvil', evm, () => openAnvilLab())
chainFollowerContract('EVM on a fake node', evm, () => openFakeLab())
chainFollowerContract('EVM on two connections to a real anvil', evm, () =>
  openAnvilLab({ providers: 2 }),
)
chainFollowerContract('EVM on two fake nodes', evm, () => openFakeLab({ providers: 2 }))

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('the identity check of a node', () => {
  const world = fakeWorld()

  const seenReason = (reason: string): Promise<void> =>
    world.ledger.until(`health says ${reason}`, () => world.ledger.lastHealth?.reason === reason)

  it('reports nothing from a node with another chain id, not even a pending payment', async () => {
    const to = world.watched()
    world.ledger.watch.wantsNative = true
    world.node.chainId = 1
    const follower = world.follow()
    await seenReason('chain_mismatch')
    world.node.broadcast(nativeTx(to, 1n))
    world.node.mine([nativeTx(to, 2n)])
    await pause(300)
    expect(follower.health()).toMatchObject({ visibility: 'blind', reason: 'chain_mismatch' })
    expect(world.ledger.seen).toEqual([])
    expect(world.ledger.stored).toBeNull()
    expect(world.node.askedFor('eth_subscribe')).toBe(0)
  })

  it('runs at every connect, so a node is followed again once its chain id is right', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    world.node.chainId = 5
    world.node.drop()
    await seenReason('chain_mismatch')
    world.node.chain.mine([tokenTx(world.token, to, 1n)])
    await pause(250)
    expect(world.ledger.transfers).toEqual([])
    world.node.chainId = 31337
    await world.atHead()
    expect(world.ledger.transfers).toHaveLength(1)
  })

  it('refuses a node with the right chain id and another genesis', async () => {
    world.follow()
    world.node.mine()
    await world.atHead()
    const steps = world.ledger.steps.length
    const ours = world.node.chain
    world.node.chain = new FakeChain('the same id, another history')
    for (let block = 0; block < 5; block++) world.node.chain.mine()
    world.node.drop()
    await seenReason('chain_mismatch')
    await pause(250)
    expect(world.ledger.steps).toHaveLength(steps)
    world.node.chain = ours
    world.node.chain.mine()
    await world.atHead()
  })

  it('refuses another genesis after a restart of the follower', async () => {
    const first = world.follow()
    await world.atHead()
    await first.close()
    world.node.chain = new FakeChain('another history')
    world.follow()
    await seenReason('chain_mismatch')
  })
})

describe('a connection that looks open but does not work', () => {
  const world = fakeWorld()

  it('renews a dead subscription on an open connection, and misses no block', async () => {
    const to = world.watched()
    world.ledger.watch.wantsNative = true
    world.follow()
    await world.atHead()
    world.node.mute = true
    world.node.mine([nativeTx(to, 1n)])
    await world.atHead()
    expect(world.ledger.transfers).toHaveLength(1)
    world.node.mine([nativeTx(to, 2n)])
    await world.atHead()
    expect(world.ledger.transfers).toHaveLength(2)
    const heads = (): number =>
      world.node.asked.filter(
        ({ method, params }) => method === 'eth_subscribe' && params[0] === 'newHeads',
      ).length
    await world.ledger.until('it subscribed again', () => heads() > 1)
    expect(world.node.connections).toBe(1)
    world.node.mute = false
    // Pending payments come on the new subscription too.
    const tx = nativeTx(to, 3n)
    world.node.broadcast(tx)
    await world.ledger.until('the payment is reported', () =>
      world.ledger.seen.some(({ txHash }) => txHash === tx.hash),
    )
  })

  it('does not treat a chain without new blocks as a dead subscription', async () => {
    world.node.mine()
    world.follow({ limits: { headPollMs: 40 } })
    await world.atHead()
    await pause(400)
    world.node.mine()
    await world.atHead()
    await pause(200)
    expect(world.node.askedFor('eth_subscribe')).toBe(2)
  })

  it('reports `no_new_head` after too long without a head, and recovers at the next one', async () => {
    world.follow({ limits: { headPollMs: 40, headSilentAfterMs: 150, blindAfterMs: 300 } })
    await world.atHead()
    await world.ledger.until(
      '`no_new_head` is reported',
      () => world.ledger.lastHealth?.reason === 'no_new_head',
    )
    await pause(600)
    // A node that answers without new blocks does not make the chain blind.
    expect(world.ledger.lastHealth).toMatchObject({ visibility: 'degraded', reason: 'no_new_head' })
    world.node.mine()
    await world.atHead()
  })

  it('reconnects when a half-open connection does not answer a ping', async () => {
    await world.node.close()
    world.node = await FakeNode.start({ answersPings: false })
    world.follow({ limits: { pingEveryMs: 50, pongWithinMs: 50, headPollMs: 60_000 } })
    await world.ledger.until('it connected again', () => world.node.askedFor('eth_chainId') >= 3)
  })

  it('reconnects to a node that answers pings but no questions', async () => {
    world.follow({ limits: { answerWithinMs: 50, headPollMs: 50 } })
    await world.atHead()
    world.node.instead = () => silence
    await world.ledger.until(
      'the follower reconnects',
      () => world.ledger.lastHealth?.reason === 'socket_down',
    )
    expect(world.ledger.told.map(({ reason }) => reason)).toContain('node_failing')
    world.node.instead = () => undefined
    world.node.mine()
    await world.atHead()
  })

  it('reports degraded at once when the connection is lost, and blind when it stays lost', async () => {
    world.follow({ limits: { unreachableAfterMs: 200 } })
    await world.atHead()
    await world.node.close()
    await world.ledger.until('blind', () => world.ledger.lastHealth?.visibility === 'blind')
    expect(world.ledger.told.slice(-2)).toMatchObject([
      { visibility: 'degraded', reason: 'socket_down' },
      { visibility: 'blind', reason: 'socket_down' },
    ])
  })

  it('reports `store_failing`, and continues when the store works again', async () => {
    world.follow()
    await world.atHead()
    world.ledger.refuseNext = 2
    world.node.mine()
    await world.ledger.until('`store_failing` is reported', () =>
      world.ledger.told.some(({ reason }) => reason === 'store_failing'),
    )
    await world.atHead()
  })

  it('logs an exception while storing as a bug, waits, and does not blame the node', async () => {
    const said: string[] = []
    const log: Log = { ...silentLog, error: (_, message) => void said.push(message) }
    log.child = () => log
    world.follow({ log })
    await world.atHead()
    const { ledger } = world
    const step = ledger.step.bind(ledger)
    let faults = 2
    ledger.step = (...values) =>
      faults-- > 0 ? Promise.reject(new TypeError('a fault of this test')) : step(...values)
    world.node.mine()
    await world.ledger.until('`store_failing` is reported', () =>
      ledger.told.some(({ reason }) => reason === 'store_failing'),
    )
    await world.atHead()
    expect(said).toEqual(['a step failed because of a bug', 'a step failed because of a bug'])
    expect(ledger.told.map(({ reason }) => reason)).not.toContain('node_failing')
  })

  it('reconnects after a frame that is not JSON', async () => {
    world.follow()
    await world.atHead()
    world.node.say('<html>502 Bad Gateway</html>')
    await world.ledger.until('it disconnected', () =>
      world.ledger.told.some(({ reason }) => reason === 'socket_down'),
    )
    world.node.mine()
    await world.atHead()
  })

  it('asks for the head when it receives a malformed one', async () => {
    world.follow({ limits: { headPollMs: 60_000 } })
    await world.atHead()
    const block = world.node.chain.mine()
    world.node.announce({ ...block, hash: 'not a hash' })
    await world.atHead()
  })
})

describe('a head that moves while no block can be read', () => {
  const world = fakeWorld()
  const limits = { behindAfterMs: 300, blindAfterMs: 1_000, unreachableAfterMs: 500 }

  /** From now on no node shows the contents of the next block. */
  const spoilNext = (): (() => void) => {
    const spoiled = world.node.chain.head.number + 1
    world.node.instead = (method, [first]) => {
      if (method.startsWith('eth_getBlockBy')) return undefined
      if (method === 'eth_getTransactionReceipt') return new Refused(-32000, 'missing trie node')
      const isOf = JSON.stringify(first ?? '').includes(
        world.node.chain.at(spoiled)?.hash ?? 'none',
      )
      return isOf ? new Refused(-32000, 'missing trie node') : undefined
    }
    return () => {
      world.node.instead = () => undefined
    }
  }
  const mineFor = async (ms: number, between: () => void = () => undefined): Promise<void> => {
    const until = Date.now() + ms
    while (Date.now() < until) {
      world.node.mine([tokenTx(world.token, world.watched(), 1n)])
      between()
      await pause(100)
    }
  }

  it('makes the chain degraded and then blind until a step is stored', async () => {
    world.follow({ limits })
    await world.atHead()
    const { length } = world.ledger.told
    const mend = spoilNext()
    await mineFor(2_500)
    const said = world.ledger.told.slice(length).map(({ visibility }) => visibility)
    expect(said).not.toContain('ok')
    const fromBlind = said.slice(said.indexOf('blind'))
    expect([...new Set(fromBlind)]).toEqual(['blind'])
    const steps = world.ledger.steps.length
    mend()
    await world.atHead()
    expect(world.ledger.steps.length).toBeGreaterThan(steps)
  })

  it('makes the chain blind even when the node keeps reconnecting', async () => {
    world.follow({ limits })
    await world.atHead()
    const { length } = world.ledger.told
    spoilNext()
    let beats = 0
    await mineFor(3_000, () => {
      if (++beats % 4 === 0) world.node.drop()
    })
    const said = world.ledger.told.slice(length).map(({ visibility }) => visibility)
    expect(said).not.toContain('ok')
    expect(said.at(-1)).toBe('blind')
    expect(world.node.askedFor('eth_chainId')).toBeGreaterThan(4)
  })

  it('is reported as `behind` while a long step is being stored', async () => {
    world.follow({ limits })
    await world.atHead()
    let letGo = (): void => undefined
    world.ledger.hold = new Promise((resolve) => {
      letGo = resolve
    })
    const { length } = world.ledger.told
    await mineFor(1_800)
    const said = world.ledger.told.slice(length)
    expect(said.map(({ visibility, reason }) => `${visibility} ${reason}`)).toEqual([
      'degraded behind',
      'blind behind',
    ])
    letGo()
    await world.atHead()
  })
})
