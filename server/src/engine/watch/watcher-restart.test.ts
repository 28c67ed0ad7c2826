import { Failure, failedWith } from '@settlewire/core/errors'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant } from '../../../../test/support/engine-world.ts'
import type { ModelTransaction } from '../../../../test/support/model-chain.ts'
import { systemClock } from '../../clock.ts'

const full = 150_000_000n

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.start()
})
afterEach(() => world.close())

const pay = (to: string, txHash = '0x1', amount = full): ModelTransaction => ({
  ...{ txHash, pays: [{ to, amount }] },
})
const payment = (id: string) => world.engine.payments.get(merchant, id)
const broadcast = async (transaction: ModelTransaction) => {
  world.local.broadcast(world.engine.watcher, transaction)
  await world.settled()
}

describe('a step and its cursor', () => {
  it('are stored together or not at all', async () => {
    const { id, address } = await world.open()
    world.around = (method, call) =>
      method === 'append' ? Promise.reject(new Failure('store_unavailable')) : call()
    world.local.mine([pay(address)])
    await expect(world.follow()).rejects.toThrow(Failure)
    expect((await world.store.position('local'))?.head.view).toBe(0)
    expect(world.engine.watcher.scannedThrough()).toEqual({
      ...{ local: world.local.genesis.minedAt, other: world.other.genesis.minedAt },
    })
    world.around = (_, call) => call()
    world.clock.jump(2_000)
    await world.follow()
    expect(await world.status(id)).toBe('confirming')
    expect(world.engine.watcher.scannedThrough().local).toBe(world.local.tip.minedAt)
  })

  it('change nothing when the step is delivered again', async () => {
    const { id, address } = await world.open()
    world.local.mine([pay(address)])
    const { watcher } = world.engine
    const step = world.local.next(watcher.watchSet('local'))
    if (step === null) throw new Error('there is a step')
    await watcher.step('local', step)
    const before = await world.store.read(id, 0, 100)
    const error = await watcher.step('local', step).catch((caught: unknown) => caught)
    expect(failedWith(error, 'cursor_conflict')).toBe(true)
    expect(await world.store.read(id, 0, 100)).toEqual(before)
  })

  it('continue after a commit whose answer was lost, with every transaction tracked', async () => {
    const { id, address } = await world.open()
    world.around = async (method, call) => {
      const answer = await call()
      if (method === 'append') throw new Failure('store_unavailable')
      return answer
    }
    world.local.mine([pay(address)])
    await expect(world.follow()).rejects.toThrow(Failure)
    world.around = (_, call) => call()
    const position = await world.store.position('local')
    if (position !== null) world.local.resumeAt(position)
    await world.mine()
    await world.mine()
    expect(await world.history(id)).toEqual([
      'created:awaiting',
      'confirming:confirming',
      'confirming:confirming',
      'succeeded:succeeded',
    ])
  })

  it.each(['awaiting', 'pending_detected', 'confirming'])(
    'are read from the store after a kill: a payment that was %s continues',
    async (status) => {
      const { id, address } = await world.open()
      if (status !== 'awaiting') await broadcast(pay(address))
      if (status === 'confirming') await world.mine([pay(address)])
      expect(await world.status(id)).toBe(status)
      await world.crash()
      if (status === 'pending_detected') {
        expect(world.engine.watcher.watchSet('local').tracks('0x1')).toBe(true)
      }
      if (status !== 'confirming') await world.mine([pay(address)])
      await world.mine([], { blocks: 20 })
      const { finality, received } = await payment(id)
      expect([await world.status(id), finality, received]).toEqual(['succeeded', 'final', full])
    },
  )

  it('still track a second transaction of a payment that is final already', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)], { blocks: 20 })
    await broadcast(pay(address, '0x2'))
    const before = await payment(id)
    expect([before.finality, before.pending]).toEqual(['final', full])
    await world.restart()
    expect(world.engine.watcher.watchSet('local').tracks('0x2')).toBe(true)
    await world.mine([{ ...pay(address, '0x2'), reverts: true }])
    expect((await payment(id)).pending).toBe(0n)
  })

  it('survive a kill between commit and announcement', async () => {
    const { id, address } = await world.open()
    const { reached, letGo } = world.hold('append')
    world.local.mine([pay(address)])
    const dead = world.follow()
    await reached
    // The process dies while the store commits, so it never gets the result.
    letGo()
    await world.crash()
    expect((await world.store.position('local'))?.head.view).toBe(1)
    await world.mine([], { blocks: 5 })
    expect(await Promise.race([dead.then(() => 'told'), Promise.resolve('silent')])).toBe('silent')
    expect(await world.history(id)).toEqual([
      'created:awaiting',
      'confirming:confirming',
      'succeeded:succeeded',
    ])
  })

  it('include a payment that a killed process opened and that was committed after our load', async () => {
    const { reached, letGo } = world.hold('append')
    const dead = world.open({ reference: 'late' })
    await reached
    await world.crash({ quick: true })
    world.around = (_, call) => call()
    letGo()
    const late = await eventually(async () => {
      const { payments } = await world.engine.payments.list(merchant, { limit: 1 })
      return payments[0] ?? null
    })
    const address = late.terms.accept[0]?.address ?? ''
    expect(world.engine.watcher.watchSet('local').has(address)).toBe(false)
    await world.mine([pay(address)])
    expect(await world.status(late.id)).toBe('confirming')
    expect(await Promise.race([dead.then(() => 'told'), Promise.resolve('silent')])).toBe('silent')
  })

  it('are read again when another process has moved the chain', async () => {
    const { id, address } = await world.open()
    world.local.mine([pay(address)])
    const { reached, letGo } = world.hold('append')
    world.follow().catch(() => undefined)
    await reached
    await world.crash({ quick: true })
    world.around = (_, call) => call()
    letGo()
    await eventually(async () => ((await world.status(id)) === 'confirming' ? true : null))
    const error = await world.follow().catch((caught: unknown) => caught)
    expect(failedWith(error, 'cursor_conflict')).toBe(true)
    const position = await world.store.position('local')
    if (position !== null) world.local.resumeAt(position)
    await world.mine([], { blocks: 2 })
    expect(await world.status(id)).toBe('succeeded')
  })
})

/** Polls in real time, for up to ten seconds, because a real database is at work. */
async function eventually<Found>(read: () => Promise<Found | null>): Promise<Found> {
  for (let i = 0; i < 1_000; i++) {
    const found = await read()
    if (found !== null) return found
    await systemClock.sleep(10)
  }
  throw new Error('nothing came')
}
