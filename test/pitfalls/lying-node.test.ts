import { describe, expect, it } from 'vitest'
import { systemClock } from '../../server/src/clock.ts'
import { fakeTx, newAddress, tokenTx, transferLog } from '../support/evm/fake-chain.ts'
import type { FakeNode } from '../support/fake-node.ts'
import { pastOf } from '../support/past.ts'
import type { Stack, StackOptions } from './stack.ts'
import { price, token, twoNodes } from './two-nodes.ts'

/** What no real node does on demand, behind the same wires. */
describe('on nodes that lag, lie and forget', () => {
  let node: FakeNode
  let other: FakeNode
  const { begin, mine } = twoNodes((first, second) => {
    node = first
    other = second
  })

  const scoreOf = ({ follower }: Stack, name: string) =>
    follower.health().providers?.find((score) => score.name === name)

  it('pitfall 3: an empty answer for a block that holds our transfer does not lose it', async () => {
    const world = await begin([node, other])
    const { id, address } = await world.open()
    let lies = 2
    node.instead = (method) => (method === 'eth_getLogs' && lies-- > 0 ? [] : undefined)
    mine([tokenTx(token, address, price)])
    mine()
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price })
  })

  /** The first node shows every block as if it held no log of ours, and has it before the other. */
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
  /** It can hide them only where its word for what is in a block is believed. */
  const trusting: Partial<StackOptions> = { chain: { bloom: 'trusted' } }
  const noLogs = { logsBloom: `0x${'0'.repeat(512)}` }
  const sleep = (ms: number): Promise<void> => systemClock.sleep(ms)

  it('pitfall 3: a provider that shows nothing of a block does not hide what another shows', async () => {
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

  it('pitfall 3: what another provider shows of a block after it was told is told with a later one', async () => {
    const world = await begin([node, other], trusting)
    const { id, address } = await world.open()
    hideLogs()
    // It has not got the block, whenever it is asked for its head.
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

  it('pitfall 3: what came late and stood in a block that is undone meanwhile is not told', async () => {
    const world = await begin([node, other], trusting)
    const { id, address } = await world.open()
    hideLogs()
    // It has not got the block, whenever it is asked for its head.
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

  /** A block whose transaction pays somebody else; the first node says that it pays us. */
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

  it('pitfall 3: a payment that one provider makes up does not settle while the other is away', async () => {
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

  /** A payment that one provider has made up, and that the other denies. */
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

  it('pitfall 3: a payment that one provider makes up never settles: a denial is not forgotten', async () => {
    const { world, id, block } = await madeUp()
    node.finalized = block.number
    other.finalized = block.number
    // So long that what is final is not asked about any more.
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

  it('a tag that one of two providers does not know makes nothing final on the word of the other', async () => {
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

  it('pitfall 3: what one provider made up and takes back is no money any more, without a restart', async () => {
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

  it('pitfall 8: without a public mempool the block is the first signal, and nothing pretends otherwise', async () => {
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

  it('pitfall 14: a malformed log does not stop the others in its block', async () => {
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

  it('pitfall 15: a system log of a native transfer (EIP-7708) is neither a token nor a second transfer', async () => {
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

  it('pitfall 17: a provider that comes back on another chain is believed nothing, the other goes on', async () => {
    const world = await begin([node, other])
    const { id, address } = await world.open()
    other.chainId = 1
    other.drop()
    mine([tokenTx(token, address, price)])
    mine()
    mine()
    const paid = await world.status(id, 'succeeded')
    expect(paid.flags).toEqual(['single_source'])
    await world.sight('the stranger is named', ({ follower }) =>
      (follower.health().providers ?? []).some(({ reason }) => reason === 'chain_mismatch'),
    )
  })

  it('pitfall 18: ten thousand open addresses do not appear in any question to a node', async () => {
    const world = await begin([node, other])
    const { address } = await world.open()
    mine([tokenTx(token, address, price)])
    await world.at(node.chain.head)
    const filters = node.asked.filter(({ method }) => method === 'eth_getLogs')
    expect(filters.length).toBeGreaterThan(0)
    for (const { params } of filters) expect(JSON.stringify(params)).not.toContain(address.slice(2))
  })

  it('pitfall 19: while finality stands still nothing that needs it settles, and it is said', async () => {
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

  it('two providers that name different blocks are said to disagree, and nothing settles until they agree', async () => {
    const world = await begin([node, other])
    const { id, address } = await world.open()
    // From here on each of them has a chain of its own.
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
