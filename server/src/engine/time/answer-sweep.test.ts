import { afterEach, beforeEach, expect, it } from 'vitest'
import { EngineWorld, merchant, request } from '../../../../test/support/engine-world.ts'

const hour = 3_600_000
let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.start()
})
afterEach(() => world.close())

const key = { key: 'order-1', requestHash: 'hash-1' }
const isKept = async () =>
  (await world.store.idempotent(merchant.merchantId, merchant.livemode, key.key)) !== null

it('repeats an answer for a day, and deletes it soon after', async () => {
  const first = await world.engine.payments.create(merchant, request, key)
  await world.clock.advance(24 * hour)
  await world.settled()
  expect(await isKept()).toBe(true)
  const again = await world.engine.payments.create(merchant, request, key)
  expect([again.replayed, again.payment.id]).toEqual([true, first.payment.id])
  await world.clock.advance(hour)
  const isForgotten = async () => {
    await world.clock.advance(60_000)
    return !(await isKept())
  }
  expect(await world.eventually(isForgotten)).toBe(true)
  const other = await world.engine.payments.create(merchant, request, key)
  expect([other.replayed, other.payment.id === first.payment.id]).toEqual([false, false])
})

it('deletes old answers when a process starts, in statements of bounded size', async () => {
  const asked: number[] = []
  await world.engine.payments.create(merchant, request, key)
  world.clock.jump(8 * 24 * hour)
  world.around = (method, call) => {
    if (method === 'forgetAnswers') asked.push(1)
    return call()
  }
  await world.restart()
  expect(await world.eventually(async () => !(await isKept()))).toBe(true)
  expect(asked.length).toBeLessThan(5)
})

it('repeats a sweep that failed', async () => {
  await world.engine.payments.create(merchant, request, key)
  let failures = 0
  world.around = (method, call) => {
    if (method !== 'forgetAnswers' || failures >= 2) return call()
    failures += 1
    return Promise.reject(new Error('away'))
  }
  world.clock.jump(26 * hour)
  const isForgotten = async () => {
    await world.clock.advance(60_000)
    return !(await isKept())
  }
  expect(await world.eventually(isForgotten)).toBe(true)
  expect(failures).toBe(2)
})
