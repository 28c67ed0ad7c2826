import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestWatch } from '../../../../../test/support/evm/chain-ledger.ts'
import {
  type FakeBlock,
  type FakeMove,
  fakeTx,
  nativeTx,
  newAddress,
} from '../../../../../test/support/evm/fake-chain.ts'
import { openNode } from '../../../../../test/support/evm/open-node.ts'
import { FakeNode, Refused } from '../../../../../test/support/fake-node.ts'
import { systemClock } from '../../../clock.ts'
import type { AppliedBlock } from '../../../ports/chain.ts'
import { BlockReader } from '../ballot/blocks.ts'
import { judge } from '../block/verdict.ts'
import { defaultLimits } from '../node/limits.ts'
import type { EvmNode } from '../node/node.ts'

let fake: FakeNode
let node: EvmNode
let leave: () => void
let watch: TestWatch
let reader: BlockReader
/** What was reported for each block, as the history would have it on record. */
let told: AppliedBlock[]

/** Starts a new process. */
const restart = (): void => {
  const limits = defaultLimits
  const { multicall3 } = fake.state
  reader = new BlockReader({ tokens: [], multicall3, watch, clock: systemClock, limits })
}

beforeEach(async () => {
  fake = await FakeNode.start()
  fake.state.multicall3 = newAddress()
  const open = await openNode(fake.wsUrl)
  node = open.node
  leave = open.leave
  watch = new TestWatch()
  watch.wantsNative = true
  told = []
  watch.nativeOnRecord = (address, throughBlock) =>
    told
      .filter(({ block }) => block.number <= throughBlock)
      .flatMap((one) => one.transfers)
      .filter(({ to, token }) => to === address && token === null)
      .reduce((sum, { amount }) => sum + amount, 0n)
  restart()
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
const move = (to: string, value: bigint): FakeMove => ({ from: newAddress(), to, value })
/** Does what a follower does with blocks that join the chain, before it reports them. */
const apply = async (blocks: readonly FakeBlock[]): Promise<AppliedBlock[]> => {
  const headers = await Promise.all(blocks.map(({ hash }) => node.byHash(hash, false)))
  const read = await reader.read(
    node,
    headers.filter((header) => header !== null),
  )
  await reader.complete(node, read)
  return read.map((block) => judge(block, watch))
}
const on = async (...blocks: FakeBlock[]): Promise<AppliedBlock[]> => {
  const applied = await apply(blocks)
  told.push(...applied)
  return applied
}
const forget = (...blocks: FakeBlock[]): void => {
  told = told.filter(({ block }) => blocks.every(({ hash }) => hash !== block.hash))
}
const transfers = () =>
  told.flatMap((one) => one.transfers).map(({ part, amount }) => [part, amount])

describe('a contract payment after a block whose state is lost', () => {
  it('is the balance beyond the record, and reported once', async () => {
    const to = watched()
    await on(fake.mine([nativeTx(to, 2n), fakeTx({ calls: [move(to, 4n)] })]))
    restart()
    const missed = [
      fake.mine([nativeTx(to, 3n), fakeTx({ calls: [move(to, 5n)] })]),
      fake.mine([nativeTx(to, 1n)]),
    ]
    const there = fake.mine([nativeTx(to, 6n)])
    fake.state.since = there.number
    await on(...missed, there)
    const all = [
      ['top', 2n],
      ['balance', 4n],
      ['top', 3n],
      ['top', 1n],
      ['top', 6n],
      ['balance', 5n],
    ]
    expect(transfers()).toEqual(all)
    expect(told.at(-1)?.transfers.at(-1)?.txHash).toBe(`balance:${there.hash}`)
    expect(reader.isUnread).toBe(false)
    // A new process, after the state of that block is lost as well.
    restart()
    const next = fake.mine()
    fake.state.since = next.number
    await on(next)
    expect(transfers()).toEqual(all)
  })

  it.each([1, 2, 3])('is reported once with steps of %d blocks', async (size) => {
    const to = watched()
    await on(fake.mine([nativeTx(to, 2n)]))
    restart()
    const blocks = [
      fake.mine([fakeTx({ calls: [move(to, 5n)] })]),
      ...[fake.mine([nativeTx(to, 3n)]), fake.mine(), fake.mine([nativeTx(to, 7n)])],
      ...[fake.mine([fakeTx({ calls: [move(to, 9n)] })]), fake.mine()],
    ]
    fake.state.since = blocks[3]?.number ?? 0
    for (let at = 0; at < blocks.length; at += size) {
      await on(...blocks.slice(at, at + size))
      expect(reader.isUnread).toBe(at + size < 4)
    }
    const expected = [
      ['top', 2n],
      ['top', 3n],
      ['top', 7n],
      ['balance', 5n],
      ['balance', 9n],
    ]
    expect(transfers()).toEqual(expected)
  })

  it('is reported once when the process restarts again before a block is readable', async () => {
    const to = watched()
    await on(fake.mine())
    restart()
    const first = fake.mine([nativeTx(to, 3n), fakeTx({ calls: [move(to, 5n)] })])
    const second = fake.mine()
    fake.state.since = second.number
    await on(first)
    expect(reader.isUnread).toBe(true)
    restart()
    await on(second)
    expect(transfers()).toEqual([
      ['top', 3n],
      ['balance', 5n],
    ])
  })

  it('is not credited by mistake when the address balance was swept', async () => {
    const to = watched()
    await on(fake.mine([nativeTx(to, 10n)]))
    restart()
    const swept = fake.mine([{ ...nativeTx(newAddress(), 10n), from: to }])
    const there = fake.mine([fakeTx({ calls: [move(to, 4n)] })])
    fake.state.since = there.number
    await on(swept, there)
    // The record does not show that money left: this hides a payment but never invents one.
    expect(transfers()).toEqual([['top', 10n]])
    await on(fake.mine([fakeTx({ calls: [move(to, 2n)] })]))
    expect(transfers()).toEqual([
      ['top', 10n],
      ['balance', 2n],
    ])
  })

  it('is reported for the new block after a reorg of the reporting block', async () => {
    const to = watched()
    await on(fake.mine())
    restart()
    const missed = fake.mine([fakeTx({ calls: [move(to, 5n)] })])
    const there = fake.mine()
    fake.state.since = there.number
    await on(missed, there)
    fake.chain.rewind(1)
    const other = fake.mine([nativeTx(to, 1n)])
    // The reverted block is still on record while the step that reverts it is made.
    const applied = await apply([other])
    forget(there)
    told.push(...applied)
    expect(transfers()).toEqual([
      ['top', 1n],
      ['balance', 5n],
    ])
    // Even if the missed block is readable by now, it was passed unread.
    fake.state.since = 0
    fake.chain.rewind(1)
    const third = fake.mine()
    const again = await apply([third])
    forget(other)
    told.push(...again)
    expect(transfers()).toEqual([['balance', 5n]])
  })

  it('is reverted with the block that held it', async () => {
    const to = watched()
    await on(fake.mine())
    restart()
    const missed = fake.mine([fakeTx({ calls: [move(to, 5n)] })])
    const there = fake.mine()
    fake.state.since = there.number
    await on(missed, there)
    fake.chain.rewind(2)
    const branch = [fake.mine(), fake.mine([fakeTx({ calls: [move(to, 6n)] })])]
    const applied = await apply(branch)
    forget(missed, there)
    told.push(...applied)
    expect(transfers()).toEqual([['balance', 6n]])
  })

  it.each(['call_tree', 'flat'] as const)(
    'keeps its transaction and block when a %s trace still shows them',
    async (form) => {
      fake.state.traces = form
      const to = watched()
      await on(fake.mine())
      restart()
      const tx = fakeTx({ calls: [move(to, 5n)] })
      const missed = [fake.mine([tx]), fake.mine([nativeTx(to, 3n)])]
      const there = fake.mine([fakeTx({ calls: [move(to, 1n)] })])
      fake.state.since = there.number
      const [first] = await on(...missed, there)
      expect(transfers()).toEqual([
        ['trace:0', 5n],
        ['top', 3n],
        ['trace:0', 1n],
      ])
      expect(first?.transfers).toMatchObject([{ txHash: tx.hash }])
    },
  )

  it('is credited by balance for what the remaining traces do not show', async () => {
    fake.state.traces = 'call_tree'
    const to = watched()
    await on(fake.mine())
    restart()
    const [old, young] = [4n, 5n].map((value) => fake.mine([fakeTx({ calls: [move(to, value)] })]))
    const there = fake.mine()
    fake.state.since = there.number
    fake.instead = (method, [hash]) =>
      method === 'debug_traceBlockByHash' && hash === old?.hash
        ? new Refused(-32000, 'required historical state unavailable')
        : undefined
    if (old === undefined || young === undefined) throw new Error('there are two')
    await on(old, young, there)
    expect(transfers()).toEqual([
      ['trace:0', 5n],
      ['balance', 4n],
    ])
  })

  it('waits while the record is incomplete, and reports the balances as unread', async () => {
    const to = watched()
    await on(fake.mine([nativeTx(to, 2n)]))
    restart()
    const onRecord = watch.nativeOnRecord
    watch.nativeOnRecord = () => null
    const missed = fake.mine([fakeTx({ calls: [move(to, 5n)] })])
    fake.state.since = missed.number
    await on(missed)
    expect([transfers().length, reader.isUnread]).toEqual([1, true])
    watch.nativeOnRecord = onRecord
    await on(fake.mine())
    expect(transfers()).toEqual([
      ['top', 2n],
      ['balance', 5n],
    ])
    expect(reader.isUnread).toBe(false)
  })

  it('excludes what an address held before it was watched', async () => {
    const to = newAddress()
    await on(fake.mine([nativeTx(to, 9n)]))
    watch.addresses.add(to)
    await on(fake.mine())
    await on(fake.mine([fakeTx({ calls: [move(to, 1n)] })]))
    expect(transfers()).toEqual([['balance', 1n]])
  })
})
