import { fold } from '@settlewire/core/payment/fold'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant, policy, stranger } from '../../../../test/support/engine-world.ts'
import type { ModelTransaction } from '../../../../test/support/model-chain.ts'
import { pastOf } from '../../../../test/support/past.ts'

const full = 150_000_000n
let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.start()
})
afterEach(() => world.close())

const pay = (to: string, amount = full, txHash = '0x1'): ModelTransaction => ({
  ...{ txHash, pays: [{ to, amount }] },
})
const payment = (id: string) => world.engine.payments.get(merchant, id)
const said = { reason: 'the payer wrote to us', actor: 'key_1' }
const resolve = (
  paymentId: string,
  action: 'accept' | 'wait' | 'refund_noted' | 'dismiss',
  scope = merchant,
) => world.engine.payments.resolve(scope, { paymentId, action, ...said }, null)

describe('a decision of a person', () => {
  it('accepts an underpaid payment and records who decided', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address, full / 2n)], { blocks: 4 })
    const { payment: accepted } = await resolve(id, 'accept')
    expect(accepted).toMatchObject({ status: 'succeeded', received: full / 2n })
    expect(accepted.flags).toContain('manually_marked')
    const events = await pastOf(world.store, id)
    expect(events.at(-1)?.evidence.facts[0]).toMatchObject({ kind: 'resolved', ...said })
    expect(fold(events, () => policy)).toEqual(await payment(id))
  })

  it('survives a restart', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address, full / 2n)], { blocks: 4 })
    await resolve(id, 'accept')
    const before = await payment(id)
    await world.restart()
    expect(await payment(id)).toEqual(before)
    await world.mine([pay(address, full, '0x2')], { blocks: 3 })
    expect(await payment(id)).toMatchObject({ status: 'succeeded', received: full + full / 2n })
  })

  it('sets aside money that came after the request was withdrawn', async () => {
    const { id, address } = await world.open()
    await world.engine.payments.cancel(merchant, { paymentId: id, reason: 'sold out' }, null)
    await world.mine([pay(address)], { blocks: 3 })
    expect(await world.status(id)).toBe('investigation_required')
    expect((await resolve(id, 'refund_noted')).payment.status).toBe('cancelled')
  })

  it('is refused where rules decide, and for a payment of another merchant', async () => {
    const { id } = await world.open()
    await expect(resolve(id, 'accept')).rejects.toMatchObject({ code: 'nothing_to_resolve' })
    await expect(resolve(id, 'accept', stranger)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('is applied once under one Idempotency-Key', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address, full / 2n)], { blocks: 4 })
    const key = { key: 'k1', requestHash: 'h1' }
    const again = () =>
      world.engine.payments.resolve(merchant, { paymentId: id, action: 'accept', ...said }, key)
    const first = await again()
    expect(await again()).toEqual({ ...first, replayed: true })
    expect((await payment(id)).sequence).toBe(first.payment.sequence)
  })
})
