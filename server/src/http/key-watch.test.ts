import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { merchant } from '../../../test/support/engine-world.ts'
import { type Answered, HttpWorld } from '../../../test/support/http-world.ts'
import { StreamClient } from '../../../test/support/stream-client.ts'

const path = '/v1/payment-intents'
/** PROTOCOL.md promises this. */
const endsWithinMs = 2_000

let world: HttpWorld
let payment: Answered['json']
beforeAll(async () => {
  world = await HttpWorld.start()
  payment = await world.create()
})
afterAll(() => world.close())

/** An open stream that has received the latest event. */
function follow(key: string): Promise<StreamClient> {
  const port = Number(new URL(world.url).port)
  const headers = { authorization: `Bearer ${key}` }
  const client = new StreamClient({ port, path: `${path}/${payment.id}/stream`, headers })
  return client.until(({ events }) => events.length > 0)
}

/** Lets the time pass after which a change of a key must have taken effect. */
async function letPass(): Promise<void> {
  for (let ms = 0; ms < endsWithinMs; ms += 500) {
    await world.engine.clock.advance(500)
    await sleep(20)
  }
}

const closed = ({ isClosed }: StreamClient): boolean => isClosed
const refusals = ({ events }: StreamClient) =>
  events.filter(({ event }) => event === 'refused').map(({ data }) => JSON.parse(data))

describe('an open stream', () => {
  it('ends with `key_revoked` when its key is revoked, and other streams stay open', async () => {
    const [key, other] = [await world.addKey({}), await world.addKey({})]
    const [revoked, good, payer] = [
      await follow(key),
      await follow(other),
      await follow(payment.clientSecret),
    ]
    const counted = (await world.ask('/metrics', { key: null })).text
    expect(counted).not.toContain('why="refused"')
    await world.engine.keys.revoke(await world.idOf(key), world.engine.clock.now())
    await letPass()
    await revoked.until(closed)
    expect(refusals(revoked)).toEqual([{ code: 'key_revoked', detail: 'This key was revoked.' }])
    expect([good.isClosed, payer.isClosed]).toEqual([false, false])
    expect((await world.ask(`${path}/${payment.id}/stream`, { key })).json.code).toBe('key_revoked')
    expect((await world.ask('/metrics', { key: null })).text).toContain('why="refused"')
    for (const one of [good, payer]) one.socket.destroy()
  })

  it('ends when the overlap of its rotated key is over or its merchant is disabled', async () => {
    const { clock, keys, directory } = world.engine
    const rotated = await world.addKey({})
    const stream = await follow(rotated)
    const at = clock.now()
    await keys.replace(await world.idOf(rotated), {
      ...{ id: `key_${'r'.repeat(26)}`, prefix: 'sk_test_rrrr', hash: new Uint8Array(32) },
      ...{ at, until: at + 10_000 },
    })
    await letPass()
    expect(stream.isClosed).toBe(false)
    await clock.advance(8_000)
    await letPass()
    await stream.until(closed)
    expect(refusals(stream)).toMatchObject([{ code: 'key_expired' }])
    const [another, payer] = [await follow(world.secretKey), await follow(payment.clientSecret)]
    await directory.disableMerchant(merchant.merchantId, clock.now())
    await letPass()
    await another.until(closed)
    expect(refusals(another)).toMatchObject([{ code: 'merchant_disabled' }])
    expect(payer.isClosed).toBe(false)
    payer.socket.destroy()
    await directory.disableMerchant(merchant.merchantId, null)
  })

  it('of a revoked key stays open while the database is down, and ends afterwards', async () => {
    const key = await world.addKey({})
    const stream = await follow(key)
    const asked = vi.spyOn(world.engine.keys, 'standings').mockRejectedValue(new Error('away'))
    await world.engine.keys.revoke(await world.idOf(key), world.engine.clock.now())
    await letPass()
    expect(asked).toHaveBeenCalled()
    expect(stream.isClosed).toBe(false)
    asked.mockRestore()
    await letPass()
    await stream.until(closed)
  })
})

describe('a long-poll', () => {
  it('is answered with `key_revoked` at once when its key is revoked', async () => {
    const key = await world.addKey({})
    const last = (await world.ask(`${path}/${payment.id}`)).json.sequence
    const answer = world.ask(`${path}/${payment.id}/events?after=${last}&wait=25`, { key })
    await sleep(100)
    await world.engine.keys.revoke(await world.idOf(key), world.engine.clock.now())
    await letPass()
    const { status, json } = await answer
    expect([status, json.code]).toEqual([401, 'key_revoked'])
  })
})

it('keys are not looked up without an open stream or long-poll', async () => {
  const asked = vi.spyOn(world.engine.keys, 'standings')
  await world.ask(path)
  await letPass()
  expect(asked).not.toHaveBeenCalled()
  asked.mockRestore()
})
