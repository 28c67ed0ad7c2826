import { describe, expect, it } from 'vitest'
import {
  type FakeTx,
  fakeTx,
  nativeTx,
  newAddress,
  tokenTx,
  transferLog,
} from '../../../../../test/support/evm/fake-chain.ts'
import { fakeWorld } from '../../../../../test/support/evm/fake-world.ts'
import { Refused } from '../../../../../test/support/fake-node.ts'

describe('reading a block', () => {
  const world = fakeWorld()

  it('reports two Transfer logs in one transaction as two transfers', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const other = transferLog(world.token, newAddress(), 1n)
    const tx = fakeTx({
      logs: [transferLog(world.token, to, 5n), other, transferLog(world.token, to, 5n)],
    })
    world.node.mine([tokenTx(world.token, newAddress(), 9n), tx])
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([
      { txHash: tx.hash, part: 0, to, amount: 5n },
      { txHash: tx.hash, part: 2, to, amount: 5n },
    ])
  })

  it('asks for logs by block hash, and only for our tokens and topic', async () => {
    world.watched()
    world.follow()
    await world.atHead()
    const block = world.node.mine([tokenTx(world.token, newAddress(), 1n)])
    await world.atHead()
    const [question] = world.node.asked.filter(({ method }) => method === 'eth_getLogs')
    expect(question?.params).toEqual([
      {
        blockHash: block.hash,
        address: [world.token],
        topics: ['0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'],
      },
    ])
  })

  it('asks again after an empty answer that the bloom contradicts', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    let lagging = 2
    world.node.instead = (method) => (method === 'eth_getLogs' && lagging-- > 0 ? [] : undefined)
    const tx = tokenTx(world.token, to, 7n)
    world.node.mine([tx])
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([{ txHash: tx.hash, amount: 7n }])
    expect(world.node.askedFor('eth_getLogs')).toBe(3)
  })

  it('asks again when the node does not know the block yet', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    let lagging = 1
    world.node.instead = (method) =>
      method === 'eth_getLogs' && lagging-- > 0 ? new Refused(-32000, 'unknown block') : undefined
    world.node.mine([tokenTx(world.token, to, 7n)])
    await world.atHead()
    expect(world.ledger.transfers).toHaveLength(1)
  })

  it('reads the receipts of the block when its logs stay empty', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    world.node.instead = (method) => (method === 'eth_getLogs' ? [] : undefined)
    const tx = tokenTx(world.token, to, 8n)
    world.node.mine([fakeTx(), tx])
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([{ txHash: tx.hash, part: 0, amount: 8n }])
    expect(world.node.askedFor('eth_getBlockReceipts')).toBe(1)
  })

  it('asks a node without block receipts for each receipt', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    world.node.knowsBlockReceipts = false
    world.node.instead = (method) => (method === 'eth_getLogs' ? [] : undefined)
    const tx = tokenTx(world.token, to, 8n)
    world.node.mine([fakeTx(), tx, fakeTx()])
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([{ txHash: tx.hash, amount: 8n }])
    expect(world.node.askedFor('eth_getTransactionReceipt')).toBe(3)
  })

  it('does not store a block without its payment when the node moved to another branch', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const before = world.ledger.stored?.head.head
    const tx = tokenTx(world.token, to, 8n)
    let hasLeft = true
    let asked = 0
    world.node.twist = (method, answer) => {
      if (!hasLeft) return answer
      if (method === 'eth_getTransactionReceipt') asked++
      // It still has the block by its hash; its canonical block at that number is another one.
      if (method === 'eth_getTransactionReceipt') return null
      const block = answer as { number: string; hash: string } | null
      const isThere = method === 'eth_getBlockByNumber' && block?.hash === mined.hash
      return isThere ? { ...block, hash: `0x${'9'.repeat(64)}` } : answer
    }
    const mined = world.node.mine([tx])
    await world.ledger.until('the block was read more often than the limit', () => asked > 6)
    expect(world.ledger.stored?.head.head).toBe(before)
    hasLeft = false
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([{ txHash: tx.hash, amount: 8n }])
  })

  it('does not move the cursor past a block while its receipts are missing', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    let lacking = true
    world.node.instead = (method) => {
      if (method === 'eth_getLogs') return []
      return method === 'eth_getBlockReceipts' && lacking ? [] : undefined
    }
    world.node.twist = (method, answer) =>
      method === 'eth_getTransactionReceipt' && lacking ? null : answer
    const before = world.ledger.stored?.head.head
    world.node.mine([tokenTx(world.token, to, 8n), fakeTx()])
    await world.ledger.until('the node is reported as failing', () =>
      world.ledger.told.some(({ reason }) => reason === 'node_failing'),
    )
    expect(world.ledger.stored?.head.head).toBe(before)
    lacking = false
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([{ amount: 8n }])
  })

  it('does not ask for logs when a trusted bloom excludes all our tokens', async () => {
    const to = world.watched()
    world.follow({ chain: { bloom: 'trusted' } })
    await world.atHead()
    world.node.mine([fakeTx({ logs: [transferLog(newAddress(), to, 1n)] }), fakeTx()])
    await world.atHead()
    expect(world.node.askedFor('eth_getLogs')).toBe(0)
    expect(world.node.askedFor('eth_getBlockReceipts')).toBe(0)
  })

  it('uses the transactions and bloom of the block, not those of its announcement', async () => {
    const to = world.watched()
    world.ledger.watch.wantsNative = true
    world.follow()
    await world.atHead()
    const block = world.node.chain.mine([tokenTx(world.token, to, 1n), nativeTx(to, 2n)])
    world.node.announce(block, { transactions: [], logsBloom: `0x${'0'.repeat(512)}` })
    await world.atHead()
    expect(world.ledger.transfers.map(({ amount }) => amount)).toEqual([1n, 2n])
  })

  it('reports a tracked transaction that reverted as having moved nothing', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const tx = { ...tokenTx(world.token, to, 5n), reverted: true, logs: [] }
    world.ledger.watch.tracked.add(tx.hash)
    world.node.mine([tx])
    await world.atHead()
    expect(world.ledger.transfers).toEqual([])
    expect(world.ledger.movedNothing).toEqual([{ txHash: tx.hash, reason: 'reverted' }])
  })

  it('follows the receipt when a node shows logs of a reverted transaction', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const tx = { ...tokenTx(world.token, to, 5n), reverted: true }
    world.ledger.watch.tracked.add(tx.hash)
    world.node.mine([tx])
    await world.atHead()
    expect(world.ledger.transfers).toEqual([])
    expect(world.ledger.movedNothing).toEqual([{ txHash: tx.hash, reason: 'reverted' }])
  })

  it('reports a reverted native payment as having moved nothing', async () => {
    const to = world.watched()
    world.ledger.watch.wantsNative = true
    world.follow()
    await world.atHead()
    const tx = { ...nativeTx(to, 5n), reverted: true }
    world.ledger.watch.tracked.add(tx.hash)
    world.node.mine([tx])
    await world.atHead()
    expect(world.ledger.transfers).toEqual([])
    expect(world.ledger.movedNothing).toEqual([{ txHash: tx.hash, reason: 'reverted' }])
  })

  it('reports `paid_elsewhere` when calldata pays us but the logs pay another address', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const logs = [transferLog(world.token, newAddress(), 5n)]
    const tx = { ...tokenTx(world.token, to, 5n), logs }
    world.ledger.watch.tracked.add(tx.hash)
    world.node.mine([tx])
    await world.atHead()
    expect(world.ledger.movedNothing).toEqual([{ txHash: tx.hash, reason: 'paid_elsewhere' }])
  })

  it('finds a payment by a contract, without a transfer in the calldata', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const tx = fakeTx({ input: '0xdeadbeef', logs: [transferLog(world.token, to, 6n)] })
    world.node.mine([tx])
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([{ txHash: tx.hash, amount: 6n }])
  })

  it('ignores transfers of a token that is not configured', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const fake = newAddress()
    const logs = [transferLog(fake, to, 1_000_000n), transferLog(world.token, to, 3n)]
    world.node.mine([fakeTx({ logs })])
    await world.atHead()
    // With receipts the node does not filter out the other tokens.
    world.node.instead = (method) => (method === 'eth_getLogs' ? [] : undefined)
    world.node.mine([fakeTx({ logs })])
    await world.atHead()
    const ours = { token: world.token, part: 1, amount: 3n }
    expect(world.ledger.transfers).toMatchObject([ours, ours])
  })

  it('does not report transfers of zero', async () => {
    const to = world.watched()
    world.ledger.watch.wantsNative = true
    world.follow()
    await world.atHead()
    world.node.mine([
      fakeTx({ logs: [transferLog(world.token, to, 0n)] }),
      nativeTx(to, 0n),
      nativeTx(to, 2n),
    ])
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([{ token: null, part: 'top', amount: 2n }])
  })

  it('skips malformed logs and reads the others in the block', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const good = transferLog(world.token, to, 4n)
    const [topic = '', from = '', target = ''] = good.topics
    const tx = fakeTx({
      logs: [
        // An NFT's transfer: the id is a fourth topic.
        { ...good, topics: [topic, from, target, `0x${'0'.repeat(63)}1`], data: '0x' },
        { ...good, topics: [topic, from, target, `0x${'0'.repeat(63)}1`] },
        { ...good, data: '0x' },
        { ...good, data: '0xzz' },
        { ...good, data: `0x${'zz'.repeat(32)}` },
        { ...good, topics: [topic, from] },
        { ...good, topics: [topic, from, `0x${'ff'.repeat(32)}`] },
        good,
      ],
    })
    world.node.mine([tx])
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([{ part: 7, amount: 4n }])
  })

  it('reads amounts beyond 2^53 exactly', async () => {
    const to = world.watched()
    world.ledger.watch.wantsNative = true
    world.follow()
    await world.atHead()
    const amounts = [2n ** 53n + 1n, 10n ** 21n + 1n, 2n ** 256n - 1n]
    const payments: FakeTx[] = amounts.map((amount) => tokenTx(world.token, to, amount))
    world.node.mine([...payments, nativeTx(to, 10n ** 24n + 1n)])
    await world.atHead()
    const told = world.ledger.transfers.map(({ amount }) => amount)
    expect(told).toEqual([...amounts, 10n ** 24n + 1n])
  })

  it('asks for full blocks only while a payment accepts the native coin', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const whole = (): number =>
      world.node.asked.filter(
        ({ method, params }) =>
          method.includes('Block') && params[0] !== 'pending' && params[1] === true,
      ).length
    world.node.mine([nativeTx(to, 5n)])
    await world.atHead()
    expect(whole()).toBe(0)
    world.ledger.watch.wantsNative = true
    world.node.mine([nativeTx(to, 6n)])
    await world.atHead()
    expect(whole()).toBe(1)
    expect(world.ledger.transfers.map(({ amount }) => amount)).toEqual([6n])
  })

  it('finds a payment to an address that is watched only while its block is being read', async () => {
    const early = world.watched()
    const late = newAddress()
    world.follow()
    await world.atHead()
    let answer: () => void = () => undefined
    const held = new Promise<undefined>((resolve) => {
      answer = () => resolve(undefined)
    })
    // The last question about the block, given the addresses that were watched when it came.
    world.node.instead = (method) => (method === 'eth_getTransactionReceipt' ? held : undefined)
    world.node.mine([
      tokenTx(world.token, early, 2n),
      tokenTx(world.token, late, 3n),
      nativeTx(late, 4n),
    ])
    await world.ledger.until(
      'the block is read',
      () => world.node.askedFor('eth_getTransactionReceipt') > 0,
    )
    world.ledger.watch.addresses.add(late)
    world.ledger.watch.wantsNative = true
    answer()
    await world.atHead()
    expect(world.ledger.transfers.map(({ amount }) => amount)).toEqual([2n, 3n, 4n])
    expect(world.node.askedFor('eth_getLogs')).toBe(1)
  })

  it('counts a log that the node sends twice as one transfer', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const tx = tokenTx(world.token, to, 9n)
    const block = world.node.chain.mine([tx])
    const log = { ...tx.logs[0], blockHash: block.hash, transactionHash: tx.hash, logIndex: '0x0' }
    world.node.instead = (method) => (method === 'eth_getLogs' ? [log, log] : undefined)
    world.node.announce(block)
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([{ txHash: tx.hash, part: 0, amount: 9n }])
  })

  it('asks again when a receipt is of another block', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const tx = tokenTx(world.token, to, 9n)
    let lies = 2
    world.node.instead = (method) =>
      method === 'eth_getTransactionReceipt' && lies-- > 0
        ? { transactionHash: tx.hash, blockHash: `0x${'ab'.repeat(32)}`, status: '0x0', logs: [] }
        : undefined
    world.node.mine([tx])
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([{ amount: 9n }])
  })

  it('asks again when the node answers with logs of another block', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const logs = [{ ...transferLog(world.token, to, 1n), blockHash: `0x${'ab'.repeat(32)}` }]
    let lies = 1
    world.node.instead = (method) => (method === 'eth_getLogs' && lies-- > 0 ? logs : undefined)
    world.node.mine([tokenTx(world.token, to, 9n)])
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([{ amount: 9n }])
  })
})
