import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant } from '../../../../test/support/engine-world.ts'
import type { ModelTransaction } from '../../../../test/support/model-chain.ts'
import { systemClock } from '../../clock.ts'
import type { LookUp } from '../../ports/chain.ts'

const full = 150_000_000n
const hour = 3_600_000

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.start()
})
afterEach(() => world.close())

const pay = (to: string, txHash = '0x1'): ModelTransaction => ({
  ...{ txHash, pays: [{ to, amount: full }] },
})
const broadcast = async (transaction: ModelTransaction) => {
  world.local.broadcast(world.engine.watcher, transaction)
  await world.settled()
}
const becomes = (id: string, status: string) =>
  world.eventually(async () => (await world.status(id)) === status)
/** Gives a wrong transition time to happen. */
const stays = async (id: string, status: string) => {
  for (let i = 0; i < 10; i++) {
    await systemClock.sleep(10)
    await world.clock.advance(1_000)
  }
  expect(await world.status(id)).toBe(status)
}
const payment = (id: string) => world.engine.payments.get(merchant, id)

describe('a transaction that is pending for too long', () => {
  it('is dropped when no provider knows it, and may still be mined later', async () => {
    const { id, address } = await world.open({ expiresIn: 24 * 3_600 })
    await broadcast(pay(address))
    world.local.mempool.clear()
    await world.pass(4 * hour - 10_000)
    await stays(id, 'pending_detected')
    await world.pass(20_000)
    expect(await becomes(id, 'pending_expired')).toBe(true)
    await world.mine([pay(address)], { blocks: 3 })
    expect(await world.history(id)).toEqual([
      ...['created:awaiting', 'pending:pending_detected', 'pending_expired:pending_expired'],
      ...['confirming:confirming', 'succeeded:succeeded'],
    ])
  })

  it('is pending again when it comes back, even without a new block', async () => {
    const { id, address } = await world.open({ expiresIn: 24 * 3_600 })
    await broadcast(pay(address))
    world.local.mempool.clear()
    await world.pass(4 * hour + 10_000, [])
    expect(await becomes(id, 'pending_expired')).toBe(true)
    await broadcast(pay(address))
    expect(await world.status(id)).toBe('pending_detected')
    await broadcast(pay(address))
    expect(await world.history(id)).toHaveLength(4)
  })

  it('is dropped, and then the request expires if its time is over too', async () => {
    const { id, address } = await world.open()
    await broadcast(pay(address))
    world.local.mempool.clear()
    await world.pass(5 * hour)
    expect(await becomes(id, 'expired')).toBe(true)
    expect((await world.history(id)).slice(2)).toEqual([
      ...['pending_expired:pending_expired', 'expired:expired'],
    ])
  })

  it('stays pending as long as one provider has it, and is looked up again now and then', async () => {
    const { id, address } = await world.open({ expiresIn: 24 * 3_600 })
    await broadcast(pay(address))
    let asked = 0
    const { lookUp } = world
    world.lookUp = (chain, txHash) => {
      asked += 1
      return lookUp(chain, txHash)
    }
    await world.pass(4 * hour + 10_000)
    expect(await world.eventually(() => asked === 1)).toBe(true)
    // Every eighth of its time-out, and not with every block or commit in between.
    for (let i = 0; i < 5; i++) await world.pass(5 * 60_000)
    await systemClock.sleep(50)
    expect(asked).toBe(1)
    await world.pass(6 * 60_000)
    expect(await world.eventually(() => asked === 2)).toBe(true)
    expect(await world.status(id)).toBe('pending_detected')
    world.local.mempool.clear()
    await world.pass(hour)
    expect(await becomes(id, 'pending_expired')).toBe(true)
  })

  it.each<[string, LookUp]>([
    ['cannot all be reached', { kind: 'unsure' }],
    [
      'have it in a block that was not read yet',
      { kind: 'mined', source: 'rpc:a', blockNumber: 9 },
    ],
  ])('stays pending while the providers %s', async (_, answer) => {
    const { id, address } = await world.open({ expiresIn: 24 * 3_600 })
    await broadcast(pay(address))
    world.lookUp = () => Promise.resolve(answer)
    await world.pass(4 * hour + 10_000)
    await stays(id, 'pending_detected')
  })

  it.each([
    [
      'it stays pending if it pays us, because the follower will report it',
      true,
      'pending_detected',
    ],
    ['it is settled as paid elsewhere if it does not', false, 'awaiting'],
  ] as const)(
    'when it is in a final block that was read without it: %s',
    async (_, pays, status) => {
      const { id, address } = await world.open({ expiresIn: 24 * 3_600 })
      await broadcast(pay(address))
      const { number: blockNumber, hash: blockHash } = world.local.tip
      await world.mine([], { blocks: 12 })
      const mined = { kind: 'mined', source: 'rpc:a', blockNumber, blockHash } as const
      let asked = 0
      world.lookUp = () => {
        asked += 1
        return Promise.resolve({ ...mined, succeeded: true, pays })
      }
      await world.pass(4 * hour + 10_000)
      expect(await world.eventually(() => asked > 0)).toBe(true)
      expect(await becomes(id, status)).toBe(true)
      await stays(id, status)
    },
  )

  it('is not even looked up while the chain is blind', async () => {
    const { id, address } = await world.open({ expiresIn: 24 * 3_600 })
    await broadcast(pay(address))
    world.local.mempool.clear()
    let asked = 0
    world.lookUp = () => {
      asked += 1
      return Promise.resolve({ kind: 'not_found' })
    }
    world.local.tell(world.engine.watcher, 'blind')
    await world.pass(4 * hour + 10_000, [])
    await stays(id, 'pending_detected')
    expect(asked).toBe(0)
    world.local.tell(world.engine.watcher, 'ok')
    await world.pass(10_000)
    expect(await becomes(id, 'pending_expired')).toBe(true)
  })

  it('is dropped by the next process after a crash', async () => {
    const { id, address } = await world.open({ expiresIn: 24 * 3_600 })
    await broadcast(pay(address))
    world.local.mempool.clear()
    await world.crash()
    await world.pass(4 * hour + 10_000)
    expect(await becomes(id, 'pending_expired')).toBe(true)
  })

  it('delays no other deadline while a slow provider is asked', async () => {
    const slow = await world.open({ expiresIn: 24 * 3_600 })
    await broadcast(pay(slow.address))
    let answer = (_: LookUp): void => undefined
    world.lookUp = () =>
      new Promise((resolve) => {
        answer = resolve
      })
    await world.pass(4 * hour + 10_000)
    const { id } = await world.open({ expiresIn: 60 })
    await world.pass(70_000)
    expect(await becomes(id, 'expired')).toBe(true)
    answer({ kind: 'not_found' })
    expect(await becomes(slow.id, 'pending_expired')).toBe(true)
  })
})

describe('while a chain is blind', () => {
  it('no payment that it could pay expires, until it is visible again', async () => {
    const { id } = await world.open({ accept: ['USDC.local', 'USDC.other'] })
    world.other.tell(world.engine.watcher, 'blind')
    await world.pass(hour)
    await stays(id, 'awaiting')
    expect((await payment(id)).facts.clock?.scannedThrough ?? 0).toBe(0)
    world.other.tell(world.engine.watcher, 'degraded')
    expect(await becomes(id, 'expired')).toBe(true)
  })
})
