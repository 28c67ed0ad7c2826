import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestWatch } from '../../../../test/support/evm/chain-ledger.ts'
import {
  type FakeTx,
  fakeTx,
  nativeTx,
  newAddress,
  tokenTx,
  transferLog,
} from '../../../../test/support/evm/fake-chain.ts'
import { openNode } from '../../../../test/support/evm/open-node.ts'
import { FakeNode } from '../../../../test/support/fake-node.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import type { Sighting } from '../../ports/chain.ts'
import type { Clock } from '../../ports/clock.ts'
import { type MempoolParts, NodeMempool } from './mempool/mempool.ts'
import { defaultLimits } from './node/limits.ts'

/** Waits a tenth of the requested time. */
const quickClock: Clock = {
  ...systemClock,
  after: (ms, run) => systemClock.after(ms / 10, run),
}

const token = newAddress()
let node: FakeNode
let watch: TestWatch
let told: Sighting[]
let said: string[]
const leaving: (() => void)[] = []

beforeEach(async () => {
  node = await FakeNode.start()
  watch = new TestWatch()
  watch.wantsNative = true
  told = []
  said = []
})
afterEach(async () => {
  for (const leave of leaving.splice(0)) leave()
  await node.close()
})

const listen = async (
  mode: MempoolParts['mode'],
  preconfirmations: MempoolParts['preconfirmations'] = 'none',
): Promise<NodeMempool> => {
  const { socket, node: asked, leave } = await openNode(node.wsUrl)
  leaving.push(leave)
  const note = (_: object, text: string): void => void said.push(text)
  const log = { ...silentLog, warn: note, info: note }
  const report = (sighting: Sighting): void => void told.push(sighting)
  const parts = { socket, node: asked, tokens: new Set([token]), watch, clock: quickClock, log }
  const mempool = new NodeMempool({
    ...{ ...parts, limits: defaultLimits, mode, preconfirmations, report },
    changed: () => undefined,
  })
  await mempool.subscribe()
  return mempool
}

const watched = (): string => {
  const address = newAddress()
  watch.addresses.add(address)
  return address
}
const amounts = (): bigint[] => told.map(({ transfer }) => transfer?.amount ?? 0n)
const until = (holds: () => boolean, what: string): Promise<void> =>
  expect.poll(holds, { timeout: 5_000, message: what }).toBe(true) as Promise<void>

describe('the modes of reading pending transactions', () => {
  it.each([
    ['auto', 'as_asked', 0],
    ['auto', 'whole_refused', 1],
    ['full', 'as_asked', 0],
    ['hashes', 'as_asked', 1],
  ] as const)(
    'in mode %s reads them from a node with pending form `%s`',
    async (mode, form, lookUps) => {
      node.pendingForm = form
      const to = watched()
      await listen(mode)
      node.broadcast(tokenTx(token, to, 5n))
      await until(() => told.length > 0, 'it is reported')
      expect(told).toMatchObject([{ transfer: { to, amount: 5n }, preconfirmed: false }])
      expect(node.askedFor('eth_getTransactionByHash')).toBe(lookUps)
    },
  )

  it('in mode full does not fall back to looking up every hash of the network', async () => {
    node.pendingForm = 'whole_refused'
    await listen('full')
    expect(node.asked.filter(({ method }) => method === 'eth_subscribe')).toHaveLength(1)
    expect(said).toEqual([
      'the node reports no pending transactions; payments are seen only in blocks',
    ])
  })

  it('in mode none asks and logs nothing', async () => {
    watched()
    await listen('none')
    expect(node.asked).toEqual([])
    expect(said).toEqual([])
  })

  it('reports a rival of a payment', async () => {
    const tx = tokenTx(token, watched(), 5n)
    watch.contests.set(tx.hash, { txHash: tx.hash, key: `${tx.from} 7` })
    await listen('full')
    const rival = fakeTx({ from: tx.from, nonce: 7, maxFeePerGas: 99n })
    node.broadcast(fakeTx({ from: tx.from, nonce: 8 }))
    node.broadcast(rival)
    await until(() => told.length > 0, 'it is reported')
    const contest = { key: `${tx.from} 7`, bid: 99n }
    expect(told).toEqual([{ txHash: rival.hash, transfer: null, contest, preconfirmed: false }])
  })
})

describe('the pool from before the subscription', () => {
  it.each(['content', 'list', 'block'] as const)(
    'is read from a node that offers its pool as a %s',
    async (pool) => {
      node.state.pool = pool
      const to = watched()
      node.pool.set('x', tokenTx(token, to, 5n))
      node.pool.set('y', nativeTx(to, 6n))
      await listen('auto')
      await until(() => told.length === 2, 'both are reported')
      expect(amounts()).toEqual([5n, 6n])
    },
  )

  it('is read again when the subscription is renewed', async () => {
    node.state.pool = 'content'
    const to = watched()
    const mempool = await listen('auto')
    await until(() => node.askedFor('txpool_content') === 1, 'the pool is read')
    node.mute = true
    node.broadcast(tokenTx(token, to, 5n))
    await mempool.subscribe()
    await until(() => told.length > 0, 'it is reported')
    expect(amounts()).toEqual([5n])
  })

  it('is not read in full when it is too large for one answer', async () => {
    node.state.pool = 'content'
    node.instead = (method) =>
      method === 'txpool_status' ? { pending: '0x2711', queued: '0x0' } : undefined
    await listen('auto')
    await until(() => node.askedFor('eth_getBlockByNumber') > 0, 'the pending block is asked for')
    expect(node.askedFor('txpool_content')).toBe(0)
  })
})

describe('pending transactions filtered by the provider', () => {
  const filters = () =>
    node.subscribed('alchemy_pendingTransactions') as { toAddress: string[]; hashesOnly: boolean }[]

  beforeEach(() => {
    node.offers.add('alchemy_pendingTransactions')
  })

  it('are those to our tokens and to addresses that accept the native coin', async () => {
    const to = watched()
    await listen('alchemy')
    expect(filters()).toEqual([{ toAddress: [token, to], hashesOnly: false }])
    node.broadcast(nativeTx(newAddress(), 4n))
    node.broadcast(tokenTx(token, to, 5n))
    node.broadcast(nativeTx(to, 6n))
    await until(() => told.length === 2, 'both are reported')
    expect(amounts()).toEqual([5n, 6n])
  })

  it('cover the newest thousand addresses, and one log line states the limit', async () => {
    const open = Array.from({ length: 1_500 }, watched)
    await listen('alchemy')
    const [filter] = filters()
    expect(filter?.toAddress).toHaveLength(1_000)
    expect(new Set(filter?.toAddress)).toEqual(new Set([token, ...open.slice(-999)]))
    expect(said).toEqual([
      'more addresses than the filter allows; payments to the oldest are seen only in blocks',
    ])
    const late = watched()
    await until(() => filters().length === 2, 'the new address is subscribed')
    expect(filters()[1]?.toAddress).toHaveLength(1_000)
    expect(filters()[1]?.toAddress).toContain(late)
    expect(said).toHaveLength(1)
  })

  it('follow the watch set: new addresses are added without renewing the others', async () => {
    watched()
    await listen('alchemy')
    const late = [watched(), watched()]
    await until(() => filters().length === 2, 'the new addresses are subscribed')
    expect(filters()[1]?.toAddress).toEqual(late)
    expect(node.askedFor('eth_unsubscribe')).toBe(0)
    node.broadcast(nativeTx(late[1] ?? '', 7n))
    await until(() => told.length === 1, 'it is reported')
  })

  it('are merged into one subscription when there are too many', async () => {
    await listen('alchemy')
    for (let more = 2; more <= 9; more++) {
      watched()
      await until(() => filters().length === more, `subscription ${more} is made`)
    }
    expect(filters()[8]?.toAddress).toHaveLength(9)
    await until(() => node.askedFor('eth_unsubscribe') === 8, 'the others are ended')
  })

  it('are not read when the node does not support the filter', async () => {
    node.offers.clear()
    await listen('alchemy')
    expect(said).toEqual([
      'the node reports no pending transactions; payments are seen only in blocks',
    ])
  })
})

describe('preconfirmations of a sequencer', () => {
  const pays = (to: string): FakeTx =>
    fakeTx({ logs: [transferLog(token, to, 5n), transferLog(newAddress(), to, 9n)] })

  it('are read as logs of our tokens', async () => {
    node.offers.add('pendingLogs')
    const to = watched()
    await listen('none', 'pending_logs')
    const [filter] = node.subscribed('pendingLogs') as { address: string[]; topics: string[] }[]
    expect(filter).toEqual({
      address: [token],
      topics: ['0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'],
    })
    const tx = pays(to)
    node.promise(pays(newAddress()))
    node.promise(tx)
    await until(() => told.length > 0, 'it is reported')
    expect(told).toMatchObject([
      {
        txHash: tx.hash,
        transfer: { part: 'hint', token, to, amount: 5n },
        contest: null,
        preconfirmed: true,
      },
    ])
  })

  it('are skipped without a valid transaction hash, and later ones are read', async () => {
    node.offers.add('pendingLogs')
    const to = watched()
    await listen('none', 'pending_logs')
    for (const hash of ['0x1', '__proto__']) node.promise({ ...pays(to), hash })
    const tx = pays(to)
    node.promise(tx)
    await until(() => told.length > 0, 'the last one is reported')
    expect(told).toMatchObject([{ txHash: tx.hash }])
  })

  it('are read as full transactions, with native coin, and tokens by their logs', async () => {
    node.offers.add('newFlashblockTransactions')
    const to = watched()
    await listen('none', 'flashblocks')
    expect(node.subscribed('newFlashblockTransactions')).toEqual([true])
    const twice = fakeTx({ logs: [transferLog(token, to, 5n), transferLog(token, to, 6n)] })
    node.promise(twice)
    node.promise(nativeTx(to, 7n))
    await until(() => told.length === 2, 'both are reported')
    expect(amounts()).toEqual([11n, 7n])
    expect(told.every(({ preconfirmed, contest }) => preconfirmed && contest !== null)).toBe(true)
  })

  it('are ignored when the logs pay another address or the transaction failed', async () => {
    node.offers.add('newFlashblockTransactions')
    const to = watched()
    await listen('none', 'flashblocks')
    node.promise({ ...tokenTx(token, to, 5n), logs: [transferLog(token, newAddress(), 5n)] })
    node.promise({ ...nativeTx(to, 6n), reverted: true })
    node.promise(pays(to))
    await until(() => told.length > 0, 'the last one is reported')
    expect(amounts()).toEqual([5n])
    expect(told[0]?.transfer?.to).toBe(to)
  })

  it('are reported to the operator as missing when the node does not support them', async () => {
    await listen('none', 'flashblocks')
    expect(said).toEqual(['the node reports no preconfirmations'])
  })
})
