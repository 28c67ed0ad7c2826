import { Failure, failedWith } from '@settlewire/core/errors'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  deriveAddress,
  EngineWorld,
  merchant,
  request,
  stranger,
} from '../../../../test/support/engine-world.ts'

/** Makes Idempotency-Keys that differ from test to test. */
let run = 0
const key = (text: string, requestHash = 'hash-1') => ({ key: `${run}-${text}`, requestHash })
const full = 150_000_000n

let world: EngineWorld
let opened = 0
beforeAll(async () => {
  world = await EngineWorld.start()
})
afterAll(() => world.close())
beforeEach(async () => {
  run++
  world.around = (_, call) => call()
  opened = await total()
})

const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )
/** How many payments the merchant has, counted through all pages. */
async function total(): Promise<number> {
  let count = 0
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = { limit: 100, ...(cursor === '' ? {} : { cursor }) }
    const { payments, next } = await world.engine.payments.list(merchant, page)
    count += payments.length
    cursor = next
  }
  return count
}
const count = async () => (await total()) - opened

describe('opening a payment', () => {
  it('is committed before it answers, and gives the payment an address of its own', async () => {
    const { payments } = world.engine
    const { payment, status, replayed } = await payments.create(merchant, request, null)
    expect([status, replayed]).toEqual([201, false])
    expect(await world.store.load(paymentKind, [payment.id])).toEqual([payment])
    expect(payment.transactionId).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/,
    )
    const other = await payments.create(merchant, request, null)
    expect(other.payment.terms.accept[0]?.address).not.toBe(payment.terms.accept[0]?.address)
  })

  it('commits many payments at once in few transactions', async () => {
    let appends = 0
    world.around = (method, call) => {
      if (method === 'append') appends++
      return call()
    }
    await Promise.all(Array.from({ length: 60 }, () => world.open()))
    expect(await count()).toBe(60)
    expect(appends).toBeLessThan(30)
  })

  it('throws merchant_cannot_receive for a merchant without an xpub', async () => {
    const poor = { merchantId: `mer_${'3'.repeat(26)}`, livemode: false }
    await world.directory.addMerchant({
      ...{ id: poor.merchantId, name: 'Poor', xpub: null, createdAt: world.clock.now() },
    })
    const error = await caught(world.engine.payments.create(poor, request, null))
    expect(failedWith(error, 'merchant_cannot_receive')).toBe(true)
  })

  it('gives merchants that share an xpub consecutive addresses, and none twice', async () => {
    const xpub = 'xpub-shared'
    const twins = ['4', '5'].map((digit) => ({
      ...{ merchantId: `mer_${digit.repeat(26)}`, livemode: false },
    }))
    for (const { merchantId } of twins) {
      const createdAt = world.clock.now()
      await world.directory.addMerchant({ id: merchantId, name: 'A twin', xpub, createdAt })
    }
    const addresses: (string | undefined)[] = []
    for (const scope of twins) {
      for (let i = 0; i < 70; i++) {
        const { payment } = await world.engine.payments.create(scope, request, null)
        addresses.push(payment.terms.accept[0]?.address)
      }
    }
    const firstOnes = Array.from({ length: 140 }, (_, index) => deriveAddress(xpub, index))
    expect(addresses).toEqual(firstOnes)
  })

  it('after a crash skips the rest of the block of indexes that the process had taken', async () => {
    const before = await world.open()
    await world.crash()
    const { address } = await world.open()
    const indexOf = (wanted: string) =>
      Array.from({ length: 2_000 }, (_, index) => index).find(
        (index) => deriveAddress(`xpub-${merchant.merchantId}`, index) === wanted,
      ) ?? Number.NaN
    expect(indexOf(address)).toBeGreaterThan(indexOf(before.address))
    expect(indexOf(address) % 64).toBe(0)
  })

  it('fails while no index can be taken, and works once the store is available again', async () => {
    const poor = { merchantId: `mer_${'6'.repeat(26)}`, livemode: false }
    const createdAt = world.clock.now()
    const xpub = 'xpub-later'
    await world.directory.addMerchant({ id: poor.merchantId, name: 'A shop', xpub, createdAt })
    const { directory } = world
    const taking = vi
      .spyOn(directory, 'takeDepositIndexes')
      .mockRejectedValueOnce(new Failure('store_unavailable'))
    const error = await caught(world.engine.payments.create(poor, request, null))
    expect(failedWith(error, 'store_unavailable')).toBe(true)
    const { payment } = await world.engine.payments.create(poor, request, null)
    expect(payment.terms.accept[0]?.address).toBe(deriveAddress(xpub, 0))
    taking.mockRestore()
  })
})

describe('an Idempotency-Key', () => {
  it('gives the first answer again for the same request, as the payment stood then', async () => {
    const { payments } = world.engine
    const first = await payments.create(merchant, request, key('a'))
    const { id, terms } = first.payment
    world.local.broadcast(world.engine.watcher, {
      ...{ txHash: '0x1', pays: [{ to: terms.accept[0]?.address ?? '', amount: full }] },
    })
    await world.settled()
    expect(await world.status(id)).toBe('pending_detected')
    const again = await payments.create(merchant, request, key('a'))
    expect(again).toEqual({ payment: first.payment, status: 201, replayed: true })
    expect(await count()).toBe(1)
  })

  it('gives the first answer again after a restart', async () => {
    const first = await world.engine.payments.create(merchant, request, key('a'))
    await world.restart()
    const again = await world.engine.payments.create(merchant, request, key('a'))
    expect(again.payment).toEqual(first.payment)
  })

  it('makes this process watch the address of a payment that another process opened', async () => {
    const first = await world.engine.payments.create(merchant, request, key('a'))
    const address = first.payment.terms.accept[0]?.address ?? ''
    // As if the other process committed just after this one had read the open payments.
    world.around = (method, call) => (method === 'watched' ? Promise.resolve() : call())
    await world.restart()
    world.around = (_, call) => call()
    expect(world.engine.watcher.watchSet('local').has(address)).toBe(false)
    await world.engine.payments.create(merchant, request, key('a'))
    expect(world.engine.watcher.watchSet('local').has(address)).toBe(true)
  })

  it('is refused for a different request', async () => {
    await world.engine.payments.create(merchant, request, key('a'))
    const error = await caught(world.engine.payments.create(merchant, request, key('a', 'hash-2')))
    expect(failedWith(error, 'idempotency_key_reused')).toBe(true)
    expect(await count()).toBe(1)
  })

  it('is refused with idempotency_in_progress while the first request is running', async () => {
    const { payments } = world.engine
    const first = payments.create(merchant, request, key('a'))
    expect(
      failedWith(
        await caught(payments.create(merchant, request, key('a'))),
        'idempotency_in_progress',
      ),
    ).toBe(true)
    expect(
      failedWith(
        await caught(payments.create(merchant, request, key('a', 'hash-2'))),
        'idempotency_key_reused',
      ),
    ).toBe(true)
    const { payment } = await first
    expect((await payments.create(merchant, request, key('a'))).payment).toEqual(payment)
  })

  it('may be used by two merchants without conflict', async () => {
    await world.engine.payments.create(merchant, request, key('a'))
    const { replayed } = await world.engine.payments.create(stranger, request, key('a', 'hash-2'))
    expect(replayed).toBe(false)
  })

  it('can be used again after a request that was refused', async () => {
    const { payments } = world.engine
    await caught(payments.create(merchant, { ...request, amount: '0' }, key('a')))
    const { replayed } = await payments.create(merchant, request, key('a'))
    expect(replayed).toBe(false)
  })

  it('gives the answer of the other process when two use it at the same moment', async () => {
    const first = await world.engine.payments.create(merchant, request, key('a'))
    // The lookup finds nothing, as when the other process has not committed yet.
    let looks = 0
    world.around = (method, call) =>
      method === 'idempotent' && looks++ === 0 ? Promise.resolve(null) : call()
    const neighbour = world.engine.payments.create(merchant, request, key('b'))
    const again = await world.engine.payments.create(merchant, request, key('a'))
    expect(again).toEqual({ payment: first.payment, status: 201, replayed: true })
    expect((await neighbour).replayed).toBe(false)
    expect(await count()).toBe(2)
  })
})

describe('withdrawing a payment', () => {
  const cancel = (paymentId: string, idempotency: ReturnType<typeof key> | null = null) =>
    world.engine.payments.cancel(merchant, { paymentId, reason: 'out_of_stock' }, idempotency)

  it('cancels the payment and records the reason', async () => {
    const { id } = await world.open()
    const { payment, status } = await cancel(id)
    expect([status, payment.status, payment.reason]).toEqual([200, 'cancelled', 'out_of_stock'])
    expect(await world.history(id)).toEqual(['created:awaiting', 'cancelled:cancelled'])
  })

  it('leaves a withdrawn payment unchanged', async () => {
    const { id } = await world.open()
    await cancel(id, key('c'))
    expect((await cancel(id, key('c'))).replayed).toBe(true)
    expect((await cancel(id)).payment.sequence).toBe(2)
  })

  it('is refused once money was seen', async () => {
    const { id, address } = await world.open()
    world.local.broadcast(world.engine.watcher, {
      txHash: '0x1',
      pays: [{ to: address, amount: 1n }],
    })
    await world.settled()
    expect(failedWith(await caught(cancel(id)), 'not_cancellable')).toBe(true)
  })

  it('makes later money investigation_required', async () => {
    const { id, address } = await world.open()
    await cancel(id)
    await world.mine([{ txHash: '0x1', pays: [{ to: address, amount: full }] }])
    const payment = await world.engine.payments.get(merchant, id)
    expect([payment.status, payment.reason]).toEqual([
      'investigation_required',
      'paid_after_cancel',
    ])
  })
})

describe('payments of another merchant or mode', () => {
  it.each([
    ['another merchant', stranger],
    ['the other mode', { ...merchant, livemode: true }],
  ])('are not_found for %s', async (_, scope) => {
    const { id } = await world.open()
    const { payments } = world.engine
    const cancellation = { paymentId: id, reason: 'mine now' }
    const attempts = await Promise.all(
      [
        payments.get(scope, id),
        payments.events(scope, id, { after: 0, limit: 10 }),
        payments.cancel(scope, cancellation, null),
        payments.cancel(scope, cancellation, key('x')),
      ].map(caught),
    )
    const unknown = await caught(payments.get(merchant, `pi_${'0'.repeat(26)}`))
    for (const error of attempts) expect(error).toEqual(unknown)
    expect(failedWith(unknown, 'not_found')).toBe(true)
    const listed = (await payments.list(scope, { limit: 100 })).payments
    expect(listed.map((payment) => payment.id)).not.toContain(id)
    expect(await world.status(id)).toBe('awaiting')
  })
})
