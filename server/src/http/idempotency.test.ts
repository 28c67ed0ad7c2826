import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, HttpWorld } from '../../../test/support/http-world.ts'

let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.start()
})
afterAll(() => world.close())

const path = '/v1/payment-intents'
const body = { amount: '150.00', currency: 'USDC', accept: ['USDC.local'] }
const create = (key: string, changes: object = {}, apiKey?: string): Promise<Answered> =>
  world.ask(path, {
    ...(apiKey === undefined ? {} : { key: apiKey }),
    body: { ...body, ...changes },
    headers: { 'idempotency-key': key },
  })
const counted = async () => (await world.ask(`${path}?limit=100`)).json.data.length

describe('a request with an Idempotency-Key', () => {
  it('gets the same answer each time and takes effect once', async () => {
    const before = await counted()
    const first = await create('order-1')
    const again = await create('order-1')
    expect([first.status, again.status]).toEqual([201, 201])
    expect(again.text).toBe(first.text)
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(again.headers.get('location')).toBe(first.headers.get('location'))
    expect(await counted()).toBe(before + 1)
  })

  it('gets its first answer again, also when the payment has changed since', async () => {
    const first = await create('order-2')
    await world.pay(first.json)
    const again = await create('order-2')
    expect(again.json).toMatchObject({ id: first.json.id, status: 'awaiting', sequence: 1 })
  })

  it('is the same request in whatever order its fields are', async () => {
    const first = await create('order-3', { metadata: { a: '1', b: '2' } })
    const turned = { metadata: { b: '2', a: '1' }, ...body }
    const again = await world.ask(path, {
      body: turned,
      headers: { 'idempotency-key': 'order-3' },
    })
    expect(again.json.id).toBe(first.json.id)
  })

  it('is refused when its key was used with another body or path', async () => {
    const first = await create('order-4')
    const other = await create('order-4', { amount: '151.00' })
    expect([other.status, other.json.code]).toEqual([422, 'idempotency_key_reused'])
    const elsewhere = await world.ask(`${path}/${first.json.id}/cancel`, {
      body: {},
      headers: { 'idempotency-key': 'order-4' },
    })
    expect(elsewhere.json.code).toBe('idempotency_key_reused')
    expect((await world.ask(`${path}/${first.json.id}`)).json.status).toBe('awaiting')
  })

  it('takes effect once when it comes several times in parallel', async () => {
    const before = await counted()
    const answers = await Promise.all(Array.from({ length: 8 }, () => create('order-5')))
    const codes = answers.map((answer) => answer.json.code ?? answer.status)
    expect(codes).toContain(201)
    for (const code of codes) expect([201, 'idempotency_in_progress']).toContain(code)
    for (const answer of answers.filter(({ status }) => status === 409)) {
      expect(answer.headers.get('retry-after')).toBe('1')
    }
    expect(await counted()).toBe(before + 1)
  })

  it('may be retried with the same key after a refusal', async () => {
    const refused = await create('order-6', { amount: '0.00' })
    expect(refused.status).toBe(422)
    expect((await create('order-6')).status).toBe(201)
  })

  it('does not collide with the same key of another merchant', async () => {
    const first = await create('order-7')
    const other = await create('order-7', {}, await world.strangersKey())
    expect(other.status).toBe(201)
    expect(other.json.id).not.toBe(first.json.id)
  })

  it('cancels once, and gets the same answer each time', async () => {
    const { id } = await world.create()
    const cancel = () =>
      world.ask(`${path}/${id}/cancel`, {
        body: { reason: 'sold out' },
        headers: { 'idempotency-key': `cancel-${id}` },
      })
    const first = await cancel()
    const again = await cancel()
    expect(first.json).toMatchObject({ status: 'cancelled', sequence: 2 })
    expect([again.status, again.text]).toEqual([200, first.text])
  })

  it.each([
    ['empty', ''],
    ['with a space', 'a b'],
    ['not ASCII', 'ключ'],
    ['too long', 'k'.repeat(256)],
  ])('is refused when its key is %s', async (_, key) => {
    // fetch refuses letters beyond Latin-1: sent as bytes that arrive as Latin-1.
    const sent = Buffer.from(key).toString('latin1')
    const answer = await create(sent)
    expect([answer.status, answer.json.code]).toEqual([400, 'invalid_request'])
    expect(answer.json.errors[0].pointer).toBe('/idempotency-key')
  })

  it('accepts a key of the maximum length', async () => {
    expect((await create('k'.repeat(255))).status).toBe(201)
  })
})
