import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestWatch } from '../../../../../test/support/evm/chain-ledger.ts'
import {
  type FakeBlock,
  type FakeMove,
  fakeTx,
  nativeTx,
  newAddress,
  tokenTx,
  transferLog,
} from '../../../../../test/support/evm/fake-chain.ts'
import { openNode } from '../../../../../test/support/evm/open-node.ts'
import { FakeNode, Refused } from '../../../../../test/support/fake-node.ts'
import { systemClock } from '../../../clock.ts'
import type { AppliedBlock } from '../../../ports/chain.ts'
import { BlockReader } from '../ballot/blocks.ts'
import { systemAddress } from '../block/logs.ts'
import { judge } from '../block/verdict.ts'
import { defaultLimits } from '../node/limits.ts'
import type { EvmNode } from '../node/node.ts'

const multicall3 = newAddress()
let fake: FakeNode
let node: EvmNode
let leave: () => void
let watch: TestWatch
let reader: BlockReader

const newReader = (tokens: readonly string[] = [], at: string | null = multicall3): BlockReader =>
  new BlockReader({ tokens, multicall3: at, watch, clock: systemClock, limits: defaultLimits })

beforeEach(async () => {
  fake = await FakeNode.start()
  fake.state.multicall3 = multicall3
  const open = await openNode(fake.wsUrl)
  node = open.node
  leave = open.leave
  watch = new TestWatch()
  watch.wantsNative = true
  reader = newReader()
})
afterEach(async () => {
  leave()
  await fake.close()
})

const watched = (): string => {
  const address = newAddress()
  watch.addresses.add(address)
  return address
}
const move = (to: string, value: bigint, more: Partial<FakeMove> = {}): FakeMove => ({
  ...{ from: newAddress(), to, value },
  ...more,
})
/** Does what a follower does with blocks that join the chain. */
const apply = async (blocks: readonly FakeBlock[]): Promise<AppliedBlock[]> => {
  const headers = await Promise.all(blocks.map(({ hash }) => node.byHash(hash, false)))
  const read = await reader.read(
    node,
    headers.filter((header) => header !== null),
  )
  await reader.complete(node, read)
  return read.map((block) => judge(block, watch))
}
const transfersOf = async (...blocks: FakeBlock[]) =>
  (await apply(blocks)).flatMap(({ transfers }) => transfers)

describe.each(['call_tree', 'flat'] as const)(
  'native coin paid by contracts, with a %s trace',
  (form) => {
    beforeEach(() => {
      fake.state.traces = form
    })

    it('is found with its transaction and its path in the call tree', async () => {
      const [to, other] = [watched(), watched()]
      const inner = move(newAddress(), 0n, { calls: [move(newAddress(), 3n), move(to, 5n)] })
      const tx = fakeTx({ calls: [move(other, 1n), inner] })
      const found = await transfersOf(fake.mine([fakeTx(), tx]))
      expect(found).toMatchObject([
        { txHash: tx.hash, part: 'trace:0', token: null, to: other, amount: 1n },
        { txHash: tx.hash, part: 'trace:1.1', token: null, to, amount: 5n },
      ])
    })

    it('is not counted again for what transactions themselves carry', async () => {
      const to = watched()
      const [top, inner] = [nativeTx(to, 7n), fakeTx({ calls: [move(to, 5n)] })]
      const found = await transfersOf(fake.mine([top, inner]))
      expect(found.map(({ txHash, part, amount }) => [txHash, part, amount])).toEqual([
        [top.hash, 'top', 7n],
        [inner.hash, 'trace:0', 5n],
      ])
    })

    it('excludes what a reverted call moved, and its inner calls', async () => {
      const to = watched()
      const undone = move(newAddress(), 0n, { undone: true, calls: [move(to, 9n)] })
      const failed = fakeTx({ reverted: true, calls: [move(to, 8n)] })
      const tx = fakeTx({ calls: [undone, move(to, 7n, { undone: true }), move(to, 5n)] })
      const found = await transfersOf(fake.mine([failed, tx]))
      expect(found).toMatchObject([{ txHash: tx.hash, part: 'trace:2', amount: 5n }])
    })

    it('is found even when all of it is swept in the same block', async () => {
      const to = watched()
      const paid = fakeTx({ calls: [move(to, 5n)] })
      const swept = { ...nativeTx(newAddress(), 5n), from: to }
      const found = await transfersOf(fake.mine([paid, swept]))
      expect(found).toMatchObject([{ txHash: paid.hash, part: 'trace:0', amount: 5n }])
    })

    it('keeps its part when another block includes its transaction', async () => {
      const to = watched()
      const tx = fakeTx({ calls: [move(newAddress(), 1n), move(to, 5n)] })
      const before = await transfersOf(fake.mine([tx]))
      fake.chain.rewind(1)
      const [empty, again] = [fake.mine([nativeTx(to, 1n)]), fake.mine([fakeTx(), tx])]
      const after = await transfersOf(empty, again)
      expect(after.filter(({ txHash }) => txHash === tx.hash)).toEqual(before)
      expect(after).toHaveLength(2)
    })
  },
)

describe('native coin paid by contracts, without traces', () => {
  it('is the balance increase that transactions of the block do not explain', async () => {
    const [to, other] = [watched(), watched()]
    const block = fake.mine([
      nativeTx(to, 7n),
      { ...nativeTx(to, 100n), reverted: true },
      fakeTx({ calls: [move(to, 5n), move(other, 1n)] }),
    ])
    const txHash = `balance:${block.hash}`
    const found = await transfersOf(block)
    expect(found).toHaveLength(3)
    expect(found[0]).toMatchObject({ part: 'top', to, amount: 7n })
    expect(found[1]).toMatchObject({ txHash, part: 'balance', token: null, to, amount: 5n })
    expect(found[2]).toMatchObject({
      txHash,
      part: 'balance',
      token: null,
      to: other,
      amount: 1n,
    })
  })

  it('is never overstated, and is reduced only by what left in the same block', async () => {
    const [to, swept] = [watched(), watched()]
    await apply([fake.mine([nativeTx(to, 100n), nativeTx(swept, 100n)])])
    const out = (from: string, value: bigint) => ({ ...nativeTx(newAddress(), value), from })
    const block = fake.mine([
      fakeTx({ calls: [move(to, 30n), move(swept, 30n)] }),
      out(to, 10n),
      out(swept, 100n),
    ])
    expect(await transfersOf(block)).toMatchObject([{ to, part: 'balance', amount: 20n }])
    // The amount that left is not subtracted from later payments.
    const next = fake.mine([fakeTx({ calls: [move(swept, 4n)] })])
    expect(await transfersOf(next)).toMatchObject([{ to: swept, part: 'balance', amount: 4n }])
  })

  it('is reported once per block, even when blocks are read again', async () => {
    const to = watched()
    const blocks = [fake.mine([fakeTx({ calls: [move(to, 5n)] })]), fake.mine()]
    const first = await transfersOf(...blocks)
    expect(await transfersOf(...blocks)).toEqual(first)
    reader = newReader()
    expect(await transfersOf(...blocks.slice(1))).toEqual([])
    expect(await transfersOf(...blocks)).toEqual(first)
  })

  it('is reported for the new block after a reorg', async () => {
    const to = watched()
    await apply([fake.mine()])
    const tx = fakeTx({ calls: [move(to, 5n)] })
    await apply([fake.mine([tx])])
    fake.chain.rewind(1)
    const again = fake.mine([tx])
    expect(await transfersOf(again)).toMatchObject([
      { txHash: `balance:${again.hash}`, amount: 5n },
    ])
    fake.chain.rewind(1)
    expect(await transfersOf(fake.mine())).toEqual([])
  })

  it('costs one call per block, and none while no payment accepts the coin', async () => {
    watched()
    await apply([fake.mine()])
    const calls = () => fake.askedFor('eth_call')
    const before = calls()
    await apply([fake.mine()])
    expect(calls() - before).toBe(1)
    watch.wantsNative = false
    await apply([fake.mine()])
    expect(calls() - before).toBe(1)
    expect(fake.askedFor('eth_getBalance')).toBe(0)
  })

  it('is found by reading the balances of 500 addresses per call', async () => {
    const addresses = Array.from({ length: 1_001 }, watched)
    const last = addresses.at(-1) ?? ''
    const found = await transfersOf(fake.mine([fakeTx({ calls: [move(last, 5n)] })]))
    expect(found).toMatchObject([{ to: last, amount: 5n }])
    // The balance before the block is asked for the one address that holds coin.
    expect(fake.askedFor('eth_call')).toBe(3 + 1)
  })

  it('is read address by address, 64 per block, without Multicall3', async () => {
    reader = newReader([], null)
    const addresses = Array.from({ length: 100 }, watched)
    const last = addresses.at(-1) ?? ''
    await apply([fake.mine()])
    expect(fake.askedFor('eth_getBalance')).toBe(64)
    const paid = fake.mine([fakeTx({ calls: [move(last, 5n)] })])
    expect(await transfersOf(paid)).toMatchObject([{ to: last, amount: 5n }])
    expect(fake.askedFor('eth_call')).toBe(0)
  })

  it('is credited in the first readable block when the node lost the state of earlier ones', async () => {
    const to = watched()
    await apply([fake.mine([nativeTx(to, 2n)])])
    const lost = [fake.mine([fakeTx({ calls: [move(to, 5n)] })]), fake.mine([nativeTx(to, 3n)])]
    const there = fake.mine()
    fake.state.since = there.number
    const found = await transfersOf(...lost, there)
    expect(found.map(({ part, amount }) => [part, amount])).toEqual([
      ['top', 3n],
      ['balance', 5n],
    ])
    expect(found[1]?.txHash).toBe(`balance:${there.hash}`)
  })

  it('is found when the state of a node lags behind its newest block', async () => {
    const to = watched()
    await apply([fake.mine()])
    let behind = 2
    fake.instead = (method) =>
      method === 'eth_call' && behind-- > 0 ? new Refused(-32000, 'header not found') : undefined
    const paid = fake.mine([fakeTx({ calls: [move(to, 5n)] })])
    expect(await transfersOf(paid)).toMatchObject([{ to, amount: 5n }])
  })
})

describe('balances that are read in turns', () => {
  it('count a payment once when a trace shows it for an address whose turn it was not', async () => {
    fake.state.traces = 'call_tree'
    reader = newReader([], null)
    const addresses = Array.from({ length: 65 }, watched)
    // After two steps every balance is known.
    await apply([fake.mine()])
    await apply([fake.mine()])
    const tx = fakeTx({ calls: addresses.map((to) => move(to, 5n)) })
    const found = await transfersOf(fake.mine([tx]))
    expect(found).toHaveLength(65)
    for (let step = 0; step < 3; step++) expect(await transfersOf(fake.mine())).toEqual([])
  })
})

describe('an unavailable trace', () => {
  it('is not requested again from a node without the method', async () => {
    const to = watched()
    for (let block = 0; block < 3; block++) {
      const paid = fake.mine([fakeTx({ calls: [move(to, 5n)] })])
      expect(await transfersOf(paid)).toMatchObject([{ part: 'balance', amount: 5n }])
    }
    expect(fake.askedFor('debug_traceBlockByHash')).toBe(1)
    expect(fake.askedFor('trace_block')).toBe(1)
  })

  it('is given up after two failures, so the block is not held up forever', async () => {
    fake.state.traces = 'call_tree'
    const to = watched()
    const paid = fake.mine([fakeTx({ calls: [move(to, 5n)] })])
    fake.instead = (method) =>
      method === 'debug_traceBlockByHash' ? [{ result: 'x' }, 1] : undefined
    // The trace does not cover the whole block, so the balance is used.
    expect(await transfersOf(paid)).toMatchObject([{ part: 'balance', amount: 5n }])
    const malformed = {
      type: 'CALL',
      from: to,
      to,
      value: '0x1',
      calls: [{ ...move(to, 1n), type: 'CALL', value: 'x' }],
    }
    fake.instead = (method) =>
      method === 'debug_traceBlockByHash' ? [{ result: malformed }] : undefined
    await expect(transfersOf(paid)).rejects.toThrow('malformed')
    await expect(transfersOf(paid)).rejects.toThrow('malformed')
    expect(await transfersOf(paid)).toMatchObject([{ part: 'balance', amount: 5n }])
  })
})

describe('logs of the native coin (EIP-7708)', () => {
  it.each(['top', 'inner'] as const)(
    'count neither as a token nor as a second payment: %s',
    async (how) => {
      fake.state.traces = 'call_tree'
      // Even if the configuration lists the system address as a token.
      const token = newAddress()
      reader = newReader([token, systemAddress])
      const to = watched()
      const log = transferLog(systemAddress, to, 5n)
      const paid =
        how === 'top'
          ? { ...nativeTx(to, 5n), logs: [log] }
          : fakeTx({ calls: [move(to, 5n)], logs: [log, transferLog(token, to, 6n)] })
      const found = await transfersOf(fake.mine([paid]))
      const native = { part: how === 'top' ? 'top' : 'trace:0', token: null, amount: 5n }
      const others = how === 'top' ? [] : [{ part: 1, token, amount: 6n }]
      expect(found).toHaveLength(1 + others.length)
      expect(found).toMatchObject([...others, native])
      // The same when the logs come from receipts.
      fake.instead = (method) => (method === 'eth_getLogs' ? [] : undefined)
      const again = { ...paid, hash: fakeTx().hash }
      expect(await transfersOf(fake.mine([again]))).toHaveLength(1 + others.length)
    },
  )
})

describe('the call recorded for a paying transaction', () => {
  it('holds the transfer that it requests and its contest, without a look-up if the block is full', async () => {
    const to = watched()
    const tx = { ...nativeTx(to, 5n), nonce: 9, maxFeePerGas: 77n }
    const [applied] = await apply([fake.mine([tx, fakeTx()])])
    expect([...(applied?.calls ?? [])]).toMatchObject([
      [
        tx.hash,
        {
          hint: { part: 'hint', token: null, to, amount: 5n },
          contest: { key: `${tx.from} 9`, bid: 77n },
        },
      ],
    ])
    expect(fake.askedFor('eth_getTransactionByHash')).toBe(0)
  })

  it('is fetched only for paying transactions when blocks are not read in full', async () => {
    watch.wantsNative = false
    const token = newAddress()
    reader = newReader([token])
    const to = watched()
    const logs = [transferLog(token, to, 99n)]
    const tx = { ...tokenTx(token, to, 100n), logs, nonce: 3 }
    const [applied] = await apply([fake.mine([tx, tokenTx(token, newAddress(), 5n)])])
    // The token keeps a fee: the requested amount exceeds the received one.
    expect(applied?.calls?.get(tx.hash)).toMatchObject({
      hint: { token, to, amount: 100n },
      contest: { key: `${tx.from} 3` },
    })
    expect(applied?.transfers).toMatchObject([{ token, to, amount: 99n }])
    expect(fake.askedFor('eth_getTransactionByHash')).toBe(1)
  })

  it('is left out when the node does not return the transaction', async () => {
    watch.wantsNative = false
    const token = newAddress()
    reader = newReader([token])
    const to = watched()
    fake.instead = (method) =>
      method === 'eth_getTransactionByHash' ? new Refused(-32601, 'not offered') : undefined
    const [applied] = await apply([fake.mine([tokenTx(token, to, 5n)])])
    expect(applied?.calls?.size).toBe(0)
    expect(applied?.transfers).toHaveLength(1)
  })
})
