import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../../../../../test/support/anvil.ts'
import { ChainLedger } from '../../../../../test/support/evm/chain-ledger.ts'
import {
  deployMulticall3,
  multicall3,
  payByBatch,
} from '../../../../../test/support/evm/contracts.ts'
import { fakeTx, newAddress } from '../../../../../test/support/evm/fake-chain.ts'
import { fakeWorld } from '../../../../../test/support/evm/fake-world.ts'
import { followerOf, nodeAt } from '../../../../../test/support/evm/labs.ts'
import { startRpcRelay } from '../../../../../test/support/evm/rpc-relay.ts'

describe('contract payments made while no follower ran, on a real chain without old state', () => {
  const closings: (() => Promise<unknown>)[] = []
  const genesis = String(Math.floor(Date.now() / 1_000) - 3_600)
  let home: string
  let anvil: Anvil
  let ledger: ChainLedger
  let to: string

  const open = async (...more: string[]): Promise<void> => {
    const args = ['--no-mining', '--slots-in-an-epoch', '4', '--timestamp', genesis]
    anvil = await startAnvil({ args: [...args, ...more] })
  }
  const mine = (blocks = 1): Promise<unknown> =>
    anvil.rpc('anvil_mine', [`0x${blocks.toString(16)}`])
  const top = (value: string): Promise<string> =>
    anvil.rpc('eth_sendTransaction', [{ from: anvil.accounts[1], to, value }])
  const leave = async (): Promise<void> => {
    for (const close of closings.splice(0).toReversed()) await close()
  }
  const follow = async (tracing = true): Promise<void> => {
    const relay = await startRpcRelay(anvil.wsUrl, (method) => !tracing && /trace/.test(method))
    closings.push(() => relay.close())
    const follower = followerOf(ledger, { multicall3, providers: [nodeAt('anvil', relay.wsUrl)] })
    closings.push(() => follower.close())
    follower.start()
    await atHead()
  }
  const atHead = async (): Promise<void> => {
    const { hash } = await anvil.rpc<{ hash: string }>('eth_getBlockByNumber', ['latest', false])
    await ledger.until(
      'the head is stored and the chain is visible',
      () => ledger.stored?.recent[0]?.hash === hash && ledger.lastHealth?.visibility === 'ok',
    )
  }
  const transfers = () => ledger.transfers.map(({ part, amount }) => [part, amount])

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'settlewire-'))
    ledger = new ChainLedger()
    ledger.watch.wantsNative = true
    to = newAddress()
    ledger.watch.addresses.add(to)
  })
  afterEach(async () => {
    await leave()
    await anvil.stop()
    await rm(home, { recursive: true, force: true })
    expect(ledger.violations).toEqual([])
  })

  it.each([
    ['with their transaction, when a trace is kept', true, 'trace:0'],
    ['by the balance, without a trace', false, 'balance'],
  ] as const)('are found after the node was restarted: %s', async (_, tracing, how) => {
    const state = ['--state', join(home, 'chain.json')]
    await open(...state)
    await deployMulticall3(anvil)
    await mine(2)
    await follow(tracing)
    await top('0x2')
    await payByBatch(anvil, [{ target: to, value: 3n }])
    await mine()
    await atHead()
    await leave()
    const paid = await payByBatch(anvil, [{ target: to, value: 5n }])
    await top('0x4')
    await mine(2)
    await anvil.stop()
    await open(...state)
    await mine()
    await follow(tracing)
    const before = [
      ['top', 2n],
      [tracing ? 'trace:0' : 'balance', 3n],
    ]
    const after = [
      ['top', 4n],
      [how, 5n],
    ]
    expect(transfers()).toEqual([...before, ...after])
    expect(ledger.transfers.some(({ txHash }) => txHash === paid)).toBe(tracing)
    // Once more, with no new payment.
    await leave()
    await mine(2)
    await anvil.stop()
    await open(...state)
    await follow(tracing)
    expect(transfers()).toEqual([...before, ...after])
  })

  it('are found with a node that prunes continuously', async () => {
    await open('--prune-history', '2')
    await deployMulticall3(anvil)
    await mine(2)
    await follow(false)
    await leave()
    await payByBatch(anvil, [{ target: to, value: 5n }])
    await mine()
    await top('0x4')
    await mine(80)
    await follow(false)
    expect(transfers()).toEqual([
      ['top', 4n],
      ['balance', 5n],
    ])
  })
})

describe('a node without balances', () => {
  const world = fakeWorld()

  it('is reported as `balances_unread` while it lasts, and payments are found afterwards', async () => {
    const to = world.watched()
    world.ledger.watch.wantsNative = true
    const follower = world.follow()
    await world.atHead()
    world.node.state.since = Number.MAX_SAFE_INTEGER
    const calls = [{ from: newAddress(), to, value: 5n }]
    world.node.mine([fakeTx({ calls })])
    await world.ledger.until(
      '`balances_unread` is reported',
      () => world.ledger.lastHealth?.reason === 'balances_unread',
    )
    expect(follower.health()).toMatchObject({ visibility: 'degraded', head: 1 })
    expect(world.ledger.transfers).toEqual([])
    world.node.state.since = 0
    world.node.mine()
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([{ to, part: 'balance', amount: 5n }])
  })

  it('is not reported while no payment accepts the native coin', async () => {
    world.node.state.since = Number.MAX_SAFE_INTEGER
    world.follow()
    await world.atHead()
    world.node.mine()
    await world.atHead()
    expect(world.ledger.told.map(({ reason }) => reason)).not.toContain('balances_unread')
  })
})
