import { describe, expect, it } from 'vitest'
import { systemClock } from '../../server/src/clock.ts'
import { fakeTx, nativeTx, newAddress, tokenTx, transferLog } from '../support/evm/fake-chain.ts'
import { type FakeNode, Refused } from '../support/fake-node.ts'
import { price, token, twoNodes } from './two-nodes.ts'

type Fields = Record<string, unknown>

/** Nodes whose answers contain one malformed, missing or superfluous item. */
describe('on nodes with malformed answers', () => {
  const ether = { currency: 'ETH', accept: ['ETH.local'], amount: '1.5' }
  const wei = 15n * 10n ** 17n
  let node: FakeNode
  const { begin, mine } = twoNodes((first) => {
    node = first
  })

  /** Changes each answer to these methods, except null and refusals. */
  const twist = (one: FakeNode, methods: RegExp, change: (answer: never) => unknown): void => {
    one.twist = (method, answer) =>
      methods.test(method) && answer !== null && !(answer instanceof Refused)
        ? change(answer as never)
        : answer
  }
  /** Changes the transactions of whole blocks. */
  const twistTransactions = (one: FakeNode, change: (tx: Fields) => Fields): void =>
    twist(one, /^eth_getBlockBy/, (block: { transactions: unknown[] }) => ({
      ...block,
      transactions: block.transactions.map((tx) =>
        typeof tx === 'object' ? change(tx as Fields) : tx,
      ),
    }))

  it.each<[string, Fields]>([
    ['a null value', { value: null }],
    ['an empty value', { value: '0x' }],
    ['a negative value', { value: '0x-1' }],
    ['no hash', { hash: undefined }],
    ['an invalid hash', { hash: '0x12' }],
    ['no sender and no recipient', { from: null, to: '0x' }],
  ])('a foreign transaction with %s does not stop our payments', async (_what, odd) => {
    const world = await begin([node])
    const inTokens = await world.open()
    const inEther = await world.open(ether)
    const stranger = nativeTx(newAddress(), 7n)
    twistTransactions(node, (tx) => (tx.hash === stranger.hash ? { ...tx, ...odd } : tx))
    mine([stranger, tokenTx(token, inTokens.address, price), nativeTx(inEther.address, wei)])
    mine()
    mine()
    expect(await world.status(inTokens.id, 'succeeded')).toMatchObject({ received: price })
    expect(await world.status(inEther.id, 'succeeded')).toMatchObject({ received: wei })
  })

  it('`transactions: null` in an empty block does not stop the chain', async () => {
    const world = await begin([node])
    const { id, address } = await world.open(ether)
    twist(node, /^eth_getBlockBy/, (block: { transactions: unknown[] }) =>
      block.transactions.length === 0 ? { ...block, transactions: null } : block,
    )
    mine()
    mine([nativeTx(address, wei)])
    mine()
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: wei })
  })

  it('a payment with an unreadable value is requested by its own hash', async () => {
    const world = await begin([node])
    const { id, address } = await world.open(ether)
    const stranger = await world.open(ether)
    twistTransactions(node, (tx) => (tx.to === address ? { ...tx, value: null } : tx))
    const tx = nativeTx(address, wei)
    mine([tx, nativeTx(stranger.address, wei)])
    mine()
    mine()
    await world.status(stranger.id, 'succeeded')
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: wei })
    expect(JSON.stringify(await world.events(id), withText)).toContain(tx.hash)
  })

  it('a payment whose value no answer shows is found by the balance', async () => {
    const world = await begin([node])
    const { id, address } = await world.open(ether)
    const unreadable = (tx: Fields): Fields => (tx.to === address ? { ...tx, value: '0x' } : tx)
    twist(node, /^eth_get(BlockBy|TransactionByHash)/, (answer: Fields) =>
      Array.isArray(answer.transactions)
        ? { ...answer, transactions: answer.transactions.map(unreadable) }
        : unreadable(answer),
    )
    mine([nativeTx(address, wei)])
    for (let more = 0; more < 3; more++) mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: wei })
  })

  /** Hides the logs, so that they can be read only from receipts. */
  const withoutLogs = (one: FakeNode): void => {
    one.instead = (method) => (method === 'eth_getLogs' ? [] : undefined)
  }

  it.each<[string, (receipts: Fields[]) => unknown]>([
    ['one missing', (receipts) => receipts.slice(0, -1)],
    ['all missing', () => []],
    ['one of another block', ([first, ...rest]) => [{ ...first, blockHash: hashOf('9') }, ...rest]],
    ['one null', ([, ...rest]) => [null, ...rest]],
    ['one without logs', ([first, ...rest]) => [{ ...first, logs: null }, ...rest]],
    ['one too many', (receipts) => [...receipts, { ...receipts[0], transactionHash: hashOf('8') }]],
  ])('block receipts with %s are completed by single receipts', async (_what, change) => {
    const world = await begin([node])
    const { id, address } = await world.open()
    withoutLogs(node)
    twist(node, /^eth_getBlockReceipts$/, change as never)
    mine([tokenTx(token, address, price), nativeTx(newAddress(), 1n)])
    mine()
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price })
  })

  it('a foreign receipt that no node has delays neither its block nor our payments', async () => {
    const world = await begin([node])
    const { id, address } = await world.open()
    withoutLogs(node)
    const system = nativeTx(newAddress(), 1n)
    const isSystem = ({ transactionHash }: Fields): boolean => transactionHash === system.hash
    twist(node, /^eth_get(BlockReceipts|TransactionReceipt)$/, (answer: Fields | Fields[]) =>
      Array.isArray(answer)
        ? answer.filter((one) => !isSystem(one))
        : isSystem(answer)
          ? null
          : answer,
    )
    mine([tokenTx(token, address, price), system])
    mine()
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price })
  })

  it.each<[string, (answer: Fields) => Fields | null]>([
    ['is missing', () => null],
    ['lacks the log', (receipt) => ({ ...receipt, logs: [] })],
    ['is of another block', (receipt) => ({ ...receipt, blockHash: hashOf('9') })],
  ])(
    'a payment whose receipt %s is pending alone, and counts once the receipt is shown',
    async (_what, change) => {
      const world = await begin([node])
      const mine_ = await world.open()
      const theirs = await world.open()
      const tx = tokenTx(token, mine_.address, price)
      let isOdd = true
      twist(node, /^eth_get(TransactionReceipt|BlockReceipts)$/, (answer: Fields) =>
        isOdd && answer.transactionHash === tx.hash ? change(answer) : answer,
      )
      mine([tx, tokenTx(token, theirs.address, price)])
      mine()
      mine()
      expect(await world.status(theirs.id, 'succeeded')).toMatchObject({ received: price })
      const doubted = await world.status(mine_.id, 'pending_detected')
      expect(doubted.received).toBe(0n)
      isOdd = false
      for (let more = 0; more < 8; more++) {
        await systemClock.sleep(400)
        mine()
      }
      expect(await world.status(mine_.id, 'succeeded')).toMatchObject({ received: price })
    },
  )

  it('a restarted server finds a payment whose receipt was missing before the restart', async () => {
    const world = await begin([node])
    const { id, address } = await world.open()
    const tx = tokenTx(token, address, price)
    let isOdd = true
    twist(node, /^eth_get(TransactionReceipt|BlockReceipts)$/, (answer: Fields) =>
      isOdd && answer.transactionHash === tx.hash ? null : answer,
    )
    mine([tx])
    mine()
    await world.status(id, 'pending_detected')
    await world.crash()
    isOdd = false
    for (let more = 0; more < 8; more++) {
      mine()
      await systemClock.sleep(300)
    }
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price, pending: 0n })
  })

  it('a pending transaction does not become replaced while its receipt is missing', async () => {
    const world = await begin([node])
    const { id, address } = await world.open()
    const tx = tokenTx(token, address, price)
    let isOdd = true
    twist(node, /^eth_get(TransactionReceipt|BlockReceipts)$/, (answer: Fields) =>
      isOdd && answer.transactionHash === tx.hash ? null : answer,
    )
    node.broadcast(tx)
    await world.status(id, 'pending_detected')
    mine([tx])
    for (let more = 0; more < 4; more++) {
      await systemClock.sleep(300)
      mine()
    }
    await world.at(node.chain.head)
    expect(await world.payment(id)).toMatchObject({ status: 'pending_detected', reason: null })
    await world.crash()
    isOdd = false
    for (let more = 0; more < 8; more++) {
      mine()
      await systemClock.sleep(300)
    }
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price, pending: 0n })
    expect(await world.history(id)).not.toContainEqual(expect.stringContaining('replaced'))
  })

  it.each<[string, (log: Fields, at: number) => Fields]>([
    ['repeats', (log) => ({ ...log, logIndex: '0x0' })],
    ['is missing', ({ logIndex: _, ...log }) => log],
    ['is not a number', (log) => ({ ...log, logIndex: 'first' })],
  ])('three payments are found when `logIndex` %s', async (_what, change) => {
    const world = await begin([node])
    const open = [await world.open(), await world.open(), await world.open()]
    twist(node, /^eth_getLogs$/, (logs: Fields[]) => logs.map(change))
    mine(open.map(({ address }) => tokenTx(token, address, price)))
    mine()
    mine()
    for (const { id } of open) {
      expect(await world.status(id, 'succeeded')).toMatchObject({ received: price })
    }
  })

  it('a receipt whose log indexes differ from eth_getLogs does not change or double a payment', async () => {
    const world = await begin([node])
    const { id, address } = await world.open()
    twist(node, /^eth_getTransactionReceipt$/, (receipt: { logs: Fields[] }) => ({
      ...receipt,
      logs: receipt.logs.map((log, at) => ({ ...log, logIndex: `0x${(at + 40).toString(16)}` })),
    }))
    const half = transferLog(token, address, price / 2n)
    const tx = fakeTx({ to: token, logs: [half, transferLog(token, newAddress(), 1n), half] })
    mine([nativeTx(newAddress(), 1n), tx])
    mine()
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price })
  })

  it('a log that is sent twice counts once', async () => {
    const world = await begin([node])
    const { id, address } = await world.open()
    twist(node, /^eth_getLogs$/, (logs: Fields[]) => [...logs, ...logs])
    mine([tokenTx(token, address, price)])
    mine()
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price, flags: [] })
  })

  it.each<[string, Fields]>([
    ['another block', { blockHash: hashOf('9') }],
    ['no transaction', { transactionHash: null }],
  ])('receipts decide when a log names %s', async (_what, odd) => {
    const world = await begin([node])
    const { id, address } = await world.open()
    twist(node, /^eth_getLogs$/, ([first, ...rest]: Fields[]) =>
      first === undefined ? [] : [{ ...first, ...odd }, ...rest],
    )
    mine([tokenTx(token, newAddress(), price), tokenTx(token, address, price)])
    mine()
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price })
  })

  it.each([
    ['all zero', `0x${'0'.repeat(512)}`],
    ['of another block', `0x${'0'.repeat(511)}1`],
    ['missing', undefined],
  ])('a payment is found at a single provider whose bloom is %s', async (_what, logsBloom) => {
    const world = await begin([node])
    const { id, address } = await world.open()
    node.header = { logsBloom }
    twist(node, /^eth_getBlockBy/, (block: Fields) => ({ ...block, logsBloom }))
    mine([tokenTx(token, address, price)])
    mine()
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price })
  })

  it('a trusted bloom is spot-checked, and is no longer trusted after a wrong one', async () => {
    const world = await begin([node], { chain: { bloom: 'trusted' } })
    const logsBloom = `0x${'0'.repeat(512)}`
    node.header = { logsBloom }
    twist(node, /^eth_getBlockBy/, (block: Fields) => ({ ...block, logsBloom }))
    const blocks = 17
    for (let more = 0; more < blocks; more++) {
      mine([tokenTx(token, newAddress(), 1n)])
      await world.at(node.chain.head)
    }
    expect(node.askedFor('eth_getLogs')).toBeLessThan(blocks)
    const { id, address } = await world.open()
    mine([tokenTx(token, address, price)])
    mine()
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price })
  })
})

const hashOf = (digit: string): string => `0x${digit.repeat(64)}`
const withText = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `${value}` : value
