import { Failure } from '@settlewire/core/errors'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant } from '../../../../test/support/engine-world.ts'
import type { ModelTransaction } from '../../../../test/support/model-chain.ts'
import { nativeIncomes } from './native-record.ts'

const coin = 10n ** 18n
const inEther = { amount: '5', currency: 'ETH', accept: ['ETH.local'] }
let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.start()
})
afterEach(() => world.close())

const pay = (to: string, txHash: string, amount = coin): ModelTransaction => ({
  ...{ txHash, pays: [{ to, amount, token: null }] },
})
const onRecord = (address: string, through = world.local.tip.number) =>
  world.engine.watcher.watchSet('local').nativeOnRecord(address, through)

describe('nativeOnRecord', () => {
  it('is the sum that canonical blocks brought to an address, up to a block', async () => {
    const { address } = await world.open(inEther)
    const other = await world.open(inEther)
    expect(onRecord(address)).toBe(0n)
    await world.mine([pay(address, '0x1'), pay(other.address, '0x2')])
    const first = world.local.tip.number
    await world.mine([pay(address, '0x3', 2n * coin)])
    expect([onRecord(address, first - 1), onRecord(address, first), onRecord(address)]).toEqual([
      ...[0n, coin, 3n * coin],
    ])
    expect(onRecord(other.address)).toBe(coin)
  })

  it('leaves out pending and reverted transactions, and other assets', async () => {
    const { address } = await world.open({ ...inEther, accept: ['ETH.local'] })
    world.local.broadcast(world.engine.watcher, pay(address, '0x1'))
    await world.settled()
    await world.mine([
      { ...pay(address, '0x2'), reverts: true },
      { txHash: '0x3', pays: [{ to: address, amount: 7n }] },
    ])
    expect(onRecord(address)).toBe(0n)
  })

  it('includes dismissed money, because it is in the balance all the same', async () => {
    const { id, address } = await world.open(inEther)
    await world.mine([pay(address, '0x1')], { blocks: 4 })
    const said = { action: 'dismiss', reason: 'sent back', actor: 'key_1' } as const
    await world.engine.payments.resolve(merchant, { paymentId: id, ...said }, null)
    expect((await world.engine.payments.get(merchant, id)).received).toBe(0n)
    expect(onRecord(address)).toBe(coin)
  })

  it('falls and rises with the blocks of a reorg', async () => {
    const { address } = await world.open(inEther)
    await world.mine([pay(address, '0x1')])
    const dropped = world.local.fork(1)
    await world.mine([])
    expect(onRecord(address)).toBe(0n)
    await world.mine(dropped)
    expect(onRecord(address)).toBe(coin)
  })

  it('is complete after a restart, including a transfer that became final long before', async () => {
    const { id, address } = await world.open(inEther)
    await world.mine([pay(address, '0x1')], { blocks: 20 })
    const payment = await world.engine.payments.get(merchant, id)
    expect(await world.store.unsettled('local')).toEqual([])
    expect(payment.received).toBe(coin)
    await world.crash()
    expect(onRecord(address)).toBe(coin)
  })

  it('is 0 once the payment is no longer watched', async () => {
    const { address } = await world.open(inEther)
    await world.mine([pay(address, '0x1', 5n * coin)], { blocks: 20 })
    await world.pass(32 * 3_600_000)
    const watch = world.engine.watcher.watchSet('local')
    expect(await world.eventually(() => !watch.has(address))).toBe(true)
    expect(onRecord(address)).toBe(0n)
  })

  it('is null beyond the last step', async () => {
    const { address } = await world.open(inEther)
    await world.mine()
    const { number } = world.local.tip
    expect([onRecord(address, number), onRecord(address, number + 1)]).toEqual([0n, null])
  })

  it('is null while a commit is in doubt, and known again once the history was read', async () => {
    const { address } = await world.open(inEther)
    await world.mine()
    const { number } = world.local.tip
    world.around = async (method, call) => {
      const answer = await call()
      if (method === 'append') throw new Failure('store_unavailable')
      return answer
    }
    world.local.mine([pay(address, '0x1')])
    await expect(world.follow()).rejects.toThrow(Failure)
    expect(onRecord(address, number)).toBeNull()
    world.around = (_, call) => call()
    const position = await world.store.position('local')
    if (position !== null) world.local.resumeAt(position)
    await world.mine()
    expect(onRecord(address)).toBe(coin)
  })

  it('stays null when a commit fails during a read of the history, until the next read', async () => {
    const { address } = await world.open(inEther)
    await world.mine()
    const { watcher } = world.engine
    const { reached, letGo } = world.hold('feeds')
    const reading = watcher.prepare('local')
    await reached
    const held = world.around
    world.around = async (method, call) => {
      if (method !== 'append') return held(method, call)
      await call()
      throw new Failure('store_unavailable')
    }
    await expect(world.open(inEther)).rejects.toThrow(Failure)
    world.around = held
    expect(onRecord(address)).toBeNull()
    letGo()
    await reading
    expect(onRecord(address)).toBeNull()
    await watcher.prepare('local')
    expect(onRecord(address)).toBe(0n)
  })

  it('is null when a dead process moved the chain, until the history was read', async () => {
    const { address } = await world.open(inEther)
    await world.mine()
    world.local.mine([pay(address, '0x1')])
    const { reached, letGo } = world.hold('append')
    world.follow().catch(() => undefined)
    await reached
    await world.crash({ quick: true })
    world.around = (_, call) => call()
    letGo()
    const isMoved = async () => (await world.store.position('local'))?.head.view === 2
    expect(await world.eventually(isMoved)).toBe(true)
    // The follower starts at the stored position, which is beyond what the engine has read.
    const position = await world.store.position('local')
    if (position !== null) world.local.resumeAt(position)
    expect(onRecord(address)).toBeNull()
    await world.mine()
    expect(onRecord(address)).toBe(coin)
  })
})

describe('nativeIncomes', () => {
  it('lists the income of a payment on one chain', async () => {
    const { id, address } = await world.open(inEther)
    await world.mine([pay(address, '0x1')])
    const payment = await world.engine.payments.get(merchant, id)
    const blockNumber = world.local.tip.number
    expect(nativeIncomes(payment, 'local')).toEqual([{ to: address, amount: coin, blockNumber }])
    expect(nativeIncomes(payment, 'other')).toEqual([])
  })
})
