import { Failure, failedWith } from '@settlewire/core/errors'
import { fold } from '@settlewire/core/payment/fold'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant, policy } from '../../../../test/support/engine-world.ts'
import { type ModelTransaction, sightingOf } from '../../../../test/support/model-chain.ts'
import { pastOf } from '../../../../test/support/past.ts'

const full = 150_000_000n
const usdcTwin = `0x${'c1'.repeat(20)}`

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

describe('Watcher, from the chain to the payment', () => {
  it('emits events from the broadcast to finality, one per block until success', async () => {
    const { id, address } = await world.open()
    await broadcast(pay(address))
    await world.mine([pay(address)])
    for (let i = 0; i < 12; i++) await world.mine()
    expect(await world.history(id)).toEqual([
      'created:awaiting',
      'pending:pending_detected',
      'confirming:confirming',
      'confirming:confirming',
      'succeeded:succeeded',
      'finalized:succeeded',
    ])
    const events = await world.store.read(id, 0, 100)
    expect(fold(await pastOf(world.store, id), () => policy)).toEqual(await payment(id))
    expect(world.announced.map((stored) => stored.id)).toEqual(events.map((stored) => stored.id))
  })

  it('ends in the same state when it reads a hundred blocks in one step', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)], { blocks: 100 })
    expect(await world.history(id)).toEqual([
      'created:awaiting',
      'confirming:confirming',
      'succeeded:succeeded',
      'finalized:succeeded',
    ])
    const position = await world.store.position('local')
    expect(position?.head.head).toBe(100)
  })

  it('counts two transfers of one transaction as two, in one fact', async () => {
    const { id, address } = await world.open()
    const half = full / 2n
    const pays = [
      { to: address, amount: half },
      { to: address, amount: half },
    ]
    await world.mine([{ txHash: '0x1', pays }])
    expect(await world.history(id)).toEqual(['created:awaiting', 'confirming:confirming'])
    expect((await payment(id)).received).toBe(full)
  })

  it('does not count a token that the payment does not accept', async () => {
    const { id, address } = await world.open()
    await world.mine([{ txHash: '0x1', pays: [{ to: address, amount: full, token: usdcTwin }] }])
    const { status, received, flags } = await payment(id)
    expect([status, received, flags]).toEqual(['awaiting', 0n, ['wrong_token']])
  })

  it('sets a payment back to awaiting when its transaction reverts', async () => {
    const { id, address } = await world.open()
    await broadcast(pay(address))
    await world.mine([{ ...pay(address), reverts: true }])
    const { status, reason } = await payment(id)
    expect([status, reason]).toEqual(['awaiting', 'transaction_reverted'])
  })

  it('flags a second full payment after success and keeps watching', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)], { blocks: 20 })
    await world.mine([pay(address, '0x2')])
    const { status, flags } = await payment(id)
    expect(status).toBe('succeeded')
    expect(flags).toContain('duplicate_payment')
  })

  it('counts money that only a balance shows, and takes it back on a reorg', async () => {
    const coin = { currency: 'ETH', accept: ['ETH.local'], amount: '1' }
    const { id, address } = await world.open(coin)
    const pays = [{ to: address, amount: 10n ** 18n, token: null }]
    const txHash = `balance:0x${'ab'.repeat(32)}`
    await world.mine([{ txHash, pays }])
    expect(await world.status(id)).toBe('confirming')
    await world.crash()
    world.local.fork(1, false)
    await world.mine([], { blocks: 2 })
    expect(await payment(id)).toMatchObject({ status: 'awaiting', received: 0n })
    await world.mine([{ txHash: `balance:0x${'cd'.repeat(32)}`, pays }], { blocks: 20 })
    expect(await payment(id)).toMatchObject({ status: 'succeeded', received: 10n ** 18n })
    const { payments } = await world.engine.payments.list(merchant, { txHash: [txHash], limit: 10 })
    expect(payments.map((found) => found.id)).toEqual([id])
  })

  it('keeps the chains apart', async () => {
    const both = await world.open({ accept: ['USDC.local', 'USDC.other'] })
    const { id, address } = await world.open()
    await world.mine([pay(both.address), pay(address, '0x2')], { chain: world.other })
    expect(await world.status(both.id)).toBe('confirming')
    expect(await world.status(id)).toBe('awaiting')
    await world.mine([], { chain: world.other })
    expect(await world.status(both.id)).toBe('succeeded')
  })

  it('wants whole blocks only while a payment that accepts the native coin is watched', async () => {
    const watch = world.engine.watcher.watchSet('local')
    expect(watch.wantsNative).toBe(false)
    const { id, address } = await world.open({
      currency: 'ETH',
      accept: ['ETH.local'],
      amount: '1',
    })
    expect(watch.wantsNative).toBe(true)
    const pays = [{ to: address, amount: 10n ** 18n, token: null }]
    await world.mine([{ txHash: '0x1', pays }], { blocks: 20 })
    expect(await world.status(id)).toBe('succeeded')
    const { monitorUntil } = (await payment(id)).terms
    await world.pass(monitorUntil - world.clock.now() + 10_000)
    expect(await world.eventually(() => !watch.wantsNative)).toBe(true)
  })
})

describe('Watcher, when blocks leave the chain', () => {
  it('counts a transaction once when another block includes it again', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    await world.mine()
    world.local.fork(2)
    await world.mine([], { blocks: 3 })
    expect(await world.status(id)).toBe('pending_detected')
    await world.mine([pay(address)], { blocks: 3 })
    expect(await world.status(id)).toBe('succeeded')
    const { received, flags } = await payment(id)
    expect(received).toBe(full)
    expect(flags).toContain('reorg_seen')
    expect(await world.history(id)).toEqual([
      'created:awaiting',
      'confirming:confirming',
      'confirming:confirming',
      'reorged:pending_detected',
      'confirming:confirming',
      'succeeded:succeeded',
    ])
  })

  it('undoes and includes again in one step without a false success', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    await world.mine()
    world.local.fork(2, false)
    await world.mine([pay(address)])
    expect(await world.history(id)).toEqual([
      'created:awaiting',
      'confirming:confirming',
      'confirming:confirming',
      'reorged:awaiting',
      'confirming:confirming',
    ])
  })

  it('takes a payment back when no other block includes its transaction', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    world.local.fork(1, false)
    await world.mine([], { blocks: 2 })
    const { status, reason } = await payment(id)
    expect([status, reason]).toEqual(['awaiting', 'transaction_reorged'])
  })

  it('reports a lost success, and succeeds again when the transaction is included again', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)], { blocks: 3 })
    world.local.fork(3)
    await world.mine([], { blocks: 4 })
    expect((await payment(id)).reason).toBe('reorged_after_success')
    await world.mine([pay(address)], { blocks: 3 })
    expect(await world.status(id)).toBe('succeeded')
  })

  it('undoes an inclusion that was recorded before a restart', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    await world.restart()
    world.local.fork(1)
    await world.mine([], { blocks: 2 })
    expect(await world.history(id)).toEqual([
      'created:awaiting',
      'confirming:confirming',
      'reorged:pending_detected',
    ])
  })
})

describe('Watcher, what it looks for', () => {
  it('watches an address before the payment is answered', async () => {
    const watch = world.engine.watcher.watchSet('local')
    const { reached, letGo } = world.hold('append')
    const opening = world.open()
    await reached
    letGo()
    const { address } = await opening
    expect(watch.has(address)).toBe(true)
    expect(world.engine.watcher.watchSet('other').has(address)).toBe(true)
  })

  it('sees a payment in a block that is delivered while its opening still commits', async () => {
    // The payer can know the address before the 201 response: a block that pays it must wait its
    // turn.
    const { reached, letGo } = world.hold('append')
    const opening = world.open()
    await reached
    const address = world.derived.at(-1) ?? ''
    expect(world.engine.watcher.watchSet('local').has(address)).toBe(true)
    await Promise.all([broadcast(pay(address)), world.mine([pay(address)]), letGo()])
    const { id } = await opening
    expect(await world.status(id)).toBe('confirming')
  })

  it('stops watching an address whose opening was refused', async () => {
    let address = ''
    world.around = async (method, call) => {
      if (method !== 'append') return call()
      address = world.derived.at(-1) ?? ''
      expect(world.engine.watcher.watchSet('local').has(address)).toBe(true)
      throw new Failure('idempotency_key_reused')
    }
    const error = await world.open().catch((caught: unknown) => caught)
    expect(failedWith(error, 'idempotency_key_reused')).toBe(true)
    expect(world.engine.watcher.watchSet('local').has(address)).toBe(false)
    world.around = (_, call) => call()
    await world.mine([pay(address)])
  })

  it('keeps watching an address whose opening may have been committed', async () => {
    const idempotency = { key: 'k', requestHash: 'h' }
    const create = () =>
      world.engine.payments.create(
        merchant,
        { amount: '150', currency: 'USDC', accept: ['USDC.local'] },
        idempotency,
      )
    world.around = async (method, call) => {
      const answer = await call()
      if (method === 'append') throw new Failure('store_unavailable')
      return answer
    }
    const error = await create().catch((caught: unknown) => caught)
    expect(failedWith(error, 'store_unavailable')).toBe(true)
    world.around = (_, call) => call()
    const again = await create()
    expect(again.replayed).toBe(true)
    await world.mine([pay(again.payment.terms.accept[0]?.address ?? '')])
    expect(await world.status(again.payment.id)).toBe('confirming')
  })

  it('tracks a transaction from its first sighting, while that is still being stored', async () => {
    const { id, address } = await world.open()
    const { reached, letGo } = world.hold('append')
    world.local.broadcast(world.engine.watcher, pay(address))
    await reached
    expect(world.engine.watcher.watchSet('local').tracks('0x1')).toBe(true)
    world.local.mine([{ ...pay(address), reverts: true }])
    const followed = world.follow()
    letGo()
    await followed
    expect(await world.history(id)).toEqual([
      'created:awaiting',
      'pending:pending_detected',
      'updated:awaiting',
    ])
  })

  it('emits one event for a transaction that sockets deliver repeatedly', async () => {
    const { id, address } = await world.open()
    await broadcast(pay(address))
    await world.mine()
    await broadcast(pay(address))
    await world.mine([pay(address)])
    await broadcast(pay(address))
    expect(await world.history(id)).toEqual([
      'created:awaiting',
      'pending:pending_detected',
      'confirming:confirming',
    ])
  })

  it('drops pending transfers beyond its limit and records them from their block', async () => {
    const { id, address } = await world.open()
    const flood = Array.from({ length: 10_001 }, (_, i) => ({
      ...{ txHash: `0xf${i}`, part: 'hint' as const, token: null, from: '0x', to: address },
      amount: 1n,
    })).map(sightingOf)
    world.engine.watcher.pending('local', 'rpc:flood', flood)
    await world.settled()
    expect(await world.history(id)).toEqual(['created:awaiting'])
    await world.mine([pay(address)])
    expect(await world.status(id)).toBe('confirming')
  })

  it('never throws at the socket, and records the payment from its block', async () => {
    const { id, address } = await world.open()
    world.around = () => Promise.reject(new Failure('store_unavailable'))
    await broadcast(pay(address)).catch(() => undefined)
    world.around = (_, call) => call()
    await world.mine([pay(address)])
    expect(await world.status(id)).toBe('confirming')
  })
})
