import { describe, expect, it } from 'vitest'
import { systemClock } from '../../server/src/clock.ts'
import { fakeTx, newAddress, tokenTx, transferLog } from '../support/evm/fake-chain.ts'
import type { FakeNode } from '../support/fake-node.ts'
import { pastOf } from '../support/past.ts'
import type { Stack, StackOptions } from './stack.ts'
import { price, token, twoNodes } from './two-nodes.ts'

/** Failures that real nodes do not show on demand, behind the same connections. */
describe('on nodes that lag, lie and forget', () => {
  let node: FakeNode
  let other: FakeNode
  const { begin, mine } = twoNodes((first, second) => {
    node = first
    other = second
  })

  const scoreOf = ({ follower }: Stack, name: string) =>
    follower.health().providers?.find((score) => score.name === name)

  it('an empty log list for a block with our transfer does not lose the transfer', async () => {
    const world = await begin([node, other])
    const { id, address } = await world.open()
    let lies = 2
    node.instead = (method) => (method === 'eth_getLogs' && lies-- > 0 ? [] : undefined)
    mine([tokenTx(token, address, price)])
    mine()
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price })
  })

  /** The first node shows every block as if it held no log of ours, and before the other node. */
  const hideLogs = (): void => {
    node.instead = (method, [by]) => {
      if (!method.startsWith('eth_getBlockBy')) return undefined
      const { chain } = node
      const block = by === 'latest' ? chain.head : (chain.byHash(`${by}`) ?? chain.at(Number(by)))
      if (block === undefined) return undefined
      return {
        ...{ number: `0x${block.number.toString(16)}`, hash: block.hash, ...noLogs },
        ...{ parentHash: block.parentHash, timestamp: `0x${block.timestamp.toString(16)}` },
        transactions: block.transactions.map(({ hash }) => hash),
      }
    }
  }
  /** Logs can be hidden like this only where blooms are trusted. */
  const trusting: Partial<StackOptions> = { chain: { bloom: 'trusted' } }
  const noLogs = { logsBloom: `0x${'0'.repeat(512)}` }
  const sleep = (ms: number): Promise<void> => systemClock.sleep(ms)

  it('a transfer is found when only one of two providers shows it', async () => {
    const world = await begin([node, other], trusting)
    const { id, address } = await world.open()
    hideLogs()
    const block = node.chain.mine([tokenTx(token, address, price)])
    node.announce(block, noLogs)
    await world.at(block)
    const fact = (await pastOf(world.store.events, id))
      .at(-1)
      ?.evidence.facts.find(({ kind }) => kind === 'included')
    expect(fact).toMatchObject({ kind: 'included', source: 'rpc:node-2' })
    other.announce(block)
    mine()
    mine()
    const paid = await world.status(id, 'succeeded')
    expect({ received: paid.received, flags: paid.flags }).toEqual({ received: price, flags: [] })
    expect(scoreOf(world, 'node-1')?.logsEmpty).toBe(1)
  })

  it('a transfer that a provider shows after its block was stored is added with a later step', async () => {
    const world = await begin([node, other], trusting)
    const { id, address } = await world.open()
    hideLogs()
    // The other provider does not have the block yet.
    other.chain = node.chain.fork()
    const block = node.chain.mine([tokenTx(token, address, price)])
    node.announce(block, noLogs)
    await world.at(block)
    expect((await world.payment(id)).status).toBe('awaiting')
    other.chain = node.chain
    other.announce(block)
    while (other.askedFor('eth_getTransactionByHash') === 0) await sleep(10)
    await sleep(100)
    mine()
    await world.status(id, 'confirming')
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price, flags: [] })
  })

  it('a late transfer is not added when its block was reorged out meanwhile', async () => {
    const world = await begin([node, other], trusting)
    const { id, address } = await world.open()
    hideLogs()
    // The other provider does not have the block yet.
    other.chain = node.chain.fork()
    const block = node.chain.mine([tokenTx(token, address, price)])
    node.announce(block, noLogs)
    await world.at(block)
    other.chain = node.chain
    other.announce(block)
    await sleep(100)
    node.chain.rewind(1)
    for (let more = 0; more < 4; more++) mine()
    await world.at(node.chain.head)
    expect(await world.payment(id)).toMatchObject({ status: 'awaiting', received: 0n })
  })

  /** A block whose transaction pays a foreign address; the first node claims that it pays us. */
  const makeUp = (address: string) => {
    const [log] = tokenTx(token, address, price).logs
    const tx = tokenTx(token, newAddress(), price)
    const block = node.chain.mine([tx])
    const told = { blockHash: block.hash, transactionHash: tx.hash, logIndex: '0x0' }
    node.instead = (method, [by]) => {
      const logs = [{ ...log, ...told }]
      if (method === 'eth_getLogs') {
        return JSON.stringify(by).includes(block.hash) ? logs : undefined
      }
      if (method !== 'eth_getTransactionReceipt' || by !== tx.hash) return undefined
      return { ...told, status: '0x1', logs }
    }
    return block
  }

  it('an invented transfer does not settle while the other provider is down', async () => {
    const world = await begin([node, other])
    const { id, address } = await world.open()
    const block = makeUp(address)
    node.announce(block)
    await world.at(block)
    other.announce(block)
    await world.sight(
      'the contradiction',
      ({ follower }) => follower.health().reason === 'sources_disagree',
    )
    mine()
    await world.until(id, 'flagged', ({ flags }) => flags.includes('sources_disagree'))
    world.wires[1]?.set({ mode: 'outage' })
    await sleep(300)
    for (let more = 0; more < 5; more++) node.mine()
    await world.at(node.chain.head)
    expect((await world.payment(id)).status).toBe('confirming')
  })

  /** A payment with a transfer that one provider has invented and the other denies. */
  const madeUp = async () => {
    const world = await begin([node, other])
    const { id, address } = await world.open()
    const block = makeUp(address)
    node.announce(block)
    await world.at(block)
    other.announce(block)
    await world.until(id, 'flagged', ({ flags }) => flags.includes('sources_disagree'))
    return { world, id, address, block }
  }

  it('an invented transfer never settles, because its denial is kept', async () => {
    const { world, id, block } = await madeUp()
    node.finalized = block.number
    other.finalized = block.number
    // So many blocks that final transfers are no longer polled.
    for (let more = 0; more < 24; more++) {
      mine()
      await world.at(node.chain.head)
    }
    await stays(world, id)
    world.wires[1]?.set({ mode: 'outage' })
    await world.sight('one is away', ({ follower }) =>
      (follower.health().providers ?? []).some(({ reason }) => reason === 'provider_down'),
    )
    for (let more = 0; more < 5; more++) node.mine()
    await world.at(node.chain.head)
    await stays(world, id)
    await world.crash()
    for (let more = 0; more < 3; more++) node.mine()
    await world.at(node.chain.head)
    await stays(world, id)
  })

  const stays = async (world: Stack, id: string): Promise<void> => {
    const { status, finality, flags } = await world.payment(id)
    expect({ status, finality }).toEqual({ status: 'confirming', finality: 'none' })
    expect(flags).toContain('sources_disagree')
    expect(flags).not.toContain('single_source')
  }

  it('one of two providers alone makes nothing final while the other does not know the tag', async () => {
    const world = await begin([node, other])
    const { id, address } = await world.open()
    mine([tokenTx(token, address, price)])
    const { number } = node.chain.head
    for (let more = 0; more < 3; more++) mine()
    await world.status(id, 'succeeded')
    node.finalized = number
    for (let more = 0; more < 4; more++) {
      mine()
      await world.at(node.chain.head)
    }
    expect(await world.payment(id)).toMatchObject({ status: 'succeeded', finality: 'none' })
    other.finalized = number
    mine()
    await world.until(id, 'final', ({ finality }) => finality === 'final')
  })

  it('an invented transfer stops counting when its provider withdraws it, without a restart', async () => {
    const { world, id, address } = await madeUp()
    node.instead = () => undefined
    for (let more = 0; more < 3; more++) mine()
    const gone = await world.status(id, 'awaiting')
    expect(gone).toMatchObject({ received: 0n, reason: 'transaction_denied', flags: [] })
    await world.sight('they agree', ({ follower }) => follower.health().reason === null)
    mine([tokenTx(token, address, price)])
    for (let more = 0; more < 3; more++) mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price, flags: [] })
  })

  it('without a public mempool a payment is first detected in a block', async () => {
    node.pendingForm = 'none'
    other.pendingForm = 'none'
    const world = await begin([node, other], { chain: { publicMempool: false } })
    const { id, address } = await world.open()
    mine([tokenTx(token, address, price)])
    await world.status(id, 'confirming')
    mine()
    mine()
    await world.status(id, 'succeeded')
    const told = (await world.history(id)).map((line) => line.split(':')[1])
    expect([...new Set(told)]).toEqual(['awaiting', 'confirming', 'succeeded'])
  })

  it('malformed logs do not hide a transfer in the same transaction', async () => {
    const world = await begin([node, other])
    const { id, address } = await world.open()
    const whole = transferLog(token, address, price)
    const nft = { ...whole, topics: [...whole.topics, whole.topics[2] ?? ''], data: '0x' }
    const empty = { ...whole, data: '0x' }
    mine([fakeTx({ to: token, logs: [nft, empty, whole] })])
    mine()
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price })
  })

  it('a system log of a native transfer (EIP-7708) does not count as a second transfer', async () => {
    const system = `0x${'f'.repeat(39)}e`
    const world = await begin([node, other], { chain: { tokens: [token, system] } })
    const eth = { currency: 'ETH', accept: ['ETH.local'], amount: '1.5' }
    const { id, address } = await world.open(eth)
    const value = 15n * 10n ** 17n
    mine([fakeTx({ to: address, value, logs: [transferLog(system, address, value)] })])
    mine()
    mine()
    const paid = await world.status(id, 'succeeded')
    expect({ received: paid.received, flags: paid.flags }).toEqual({ received: value, flags: [] })
  })

  it('a provider that shows another chain after a reconnect is not used; the other one is', async () => {
    const world = await begin([node, other])
    const { id, address } = await world.open()
    other.chainId = 1
    other.drop()
    mine([tokenTx(token, address, price)])
    mine()
    mine()
    const paid = await world.status(id, 'succeeded')
    expect(paid.flags).toEqual(['single_source'])
    await world.sight('health names the mismatch', ({ follower }) =>
      (follower.health().providers ?? []).some(({ reason }) => reason === 'chain_mismatch'),
    )
  })

  it('log requests to a node do not list the open addresses', async () => {
    const world = await begin([node, other])
    const { address } = await world.open()
    mine([tokenTx(token, address, price)])
    await world.at(node.chain.head)
    const filters = node.asked.filter(({ method }) => method === 'eth_getLogs')
    expect(filters.length).toBeGreaterThan(0)
    for (const { params } of filters) expect(JSON.stringify(params)).not.toContain(address.slice(2))
  })

  it('a payment that needs finality settles only after finality moves again', async () => {
    const world = await begin([node, other], { policy: { settled: 'finalized' } })
    node.finalized = 0
    other.finalized = 0
    const { id, address } = await world.open()
    mine([tokenTx(token, address, price)])
    const block = node.chain.head.number
    for (let more = 0; more < 20; more++) mine()
    await world.at(node.chain.head)
    expect((await world.payment(id)).status).toBe('confirming')
    node.finalized = block
    other.finalized = block
    mine()
    await world.status(id, 'succeeded')
  })

  it('nothing settles while two providers name different blocks, and it settles once they agree', async () => {
    const world = await begin([node, other])
    const { id, address } = await world.open()
    // From here on each provider has its own chain.
    other.chain = node.chain.fork()
    node.mine([tokenTx(token, address, price)])
    await world.status(id, 'confirming')
    for (let more = 0; more < 6; more++) {
      node.mine()
      other.mine()
    }
    await world.sight(
      'the disagreement',
      ({ follower }) => follower.health().reason === 'sources_disagree',
    )
    node.mine()
    const held = await world.until(id, 'flagged', ({ flags }) => flags.includes('sources_disagree'))
    expect(held.status).toBe('confirming')
    other.chain = node.chain
    mine()
    await world.sight(
      'they agree again',
      ({ follower }) => follower.health().reason !== 'sources_disagree',
    )
    mine()
    const paid = await world.status(id, 'succeeded')
    expect(paid.flags).not.toContain('sources_disagree')
  })
})
