import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { HttpWorld } from '../../../../test/support/http-world.ts'

let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.start()
})
afterAll(() => world.close())

const path = '/v1/payment-intents'

describe('creating a payment', () => {
  it('answers 201 with the resource, its location, checkout URL and client secret', async () => {
    const answer = await world.ask(path, {
      body: {
        ...{ amount: '150.00', currency: 'USDC', accept: ['USDC.local'], expiresIn: 600 },
        ...{
          reference: 'order-42',
          metadata: { cart: '7' },
          redirectUrl: 'https://shop.example/x',
        },
      },
    })
    expect(answer.status).toBe(201)
    const { json } = answer
    expect(answer.headers.get('location')).toBe(`${path}/${json.id}`)
    expect(json).toMatchObject({
      ...{ object: 'payment_intent', livemode: false, sequence: 1, status: 'awaiting' },
      ...{ amount: '150.00', currency: 'USDC', amountReceived: '0.00', reference: 'order-42' },
      ...{ metadata: { cart: '7' }, redirectUrl: 'https://shop.example/x', flags: [] },
      expiresAt: '2026-01-01T00:10:00.000Z',
    })
    expect(json.checkoutUrl).toMatch(new RegExp(`^${world.url}/pay/${json.id}/[\\w-]{22}$`))
    expect(json.clientSecret).toMatch(new RegExp(`^${json.id}_secret_[\\w-]{32}$`))
    expect(json.accept[0].uri).toMatch(/^ethereum:0x.+@31337\/transfer\?.*uint256=150000000$/)
    expect((await world.ask(`${path}/${json.id}`)).json).toEqual(json)
  })

  it('accepts every asset of the currency when the request names none', async () => {
    const { json } = await world.ask(path, { body: { amount: '1.00', currency: 'USDC' } })
    expect(json.accept.map((each: { chain: string }) => each.chain)).toEqual(['local', 'other'])
    const none = await world.ask(path, { body: { amount: '1.00', currency: 'EUR' } })
    expect([none.status, none.json.code]).toEqual([422, 'unsupported_asset'])
  })

  it.each([
    [{ amount: 150 }, 400, 'invalid_request', '/amount'],
    [{ amount: '-1.00' }, 422, 'invalid_amount', '/amount'],
    [{ amount: '0.00' }, 422, 'invalid_amount', '/amount'],
    [{ amount: '1.0000001' }, 422, 'invalid_amount', '/amount'],
    [{ amount: '1e3' }, 422, 'invalid_amount', '/amount'],
    [{ amount: `1${'0'.repeat(60)}` }, 422, 'invalid_amount', '/amount'],
    [{ amount: '9'.repeat(101) }, 400, 'invalid_request', '/amount'],
    [{ currency: 'usdc' }, 400, 'invalid_request', '/currency'],
    [{ accept: [] }, 400, 'invalid_request', '/accept'],
    [{ accept: ['USDC'] }, 400, 'invalid_request', '/accept/0'],
    [{ accept: ['USDC.mars'] }, 422, 'unsupported_asset', '/accept'],
    [{ accept: ['ETH.local'] }, 422, 'unsupported_asset', '/accept'],
    [{ expiresIn: 0 }, 400, 'invalid_request', '/expiresIn'],
    [{ expiresIn: 1.5 }, 400, 'invalid_request', '/expiresIn'],
    [{ expiresIn: 1e12 }, 400, 'invalid_request', '/expiresIn'],
    [{ reference: 'a\u0000b' }, 400, 'invalid_request', '/reference'],
    [{ reference: '\ud800' }, 400, 'invalid_request', '/reference'],
    [{ reference: 'x'.repeat(256) }, 400, 'invalid_request', '/reference'],
    [{ metadata: { a: 1 } }, 400, 'invalid_request', '/metadata/a'],
    [{ metadata: { 'a/b': '\u0000' } }, 400, 'invalid_request', '/metadata/a~1b'],
    [
      { metadata: { ['k'.repeat(41)]: 'v' } },
      400,
      'invalid_request',
      `/metadata/${'k'.repeat(41)}`,
    ],
    [{ metadata: manyPairs(21) }, 400, 'invalid_request', '/metadata'],
    [{ redirectUrl: 'javascript:alert(1)' }, 400, 'invalid_request', '/redirectUrl'],
    [{ redirectUrl: 'https://a:b@c.example' }, 400, 'invalid_request', '/redirectUrl'],
    [{ confirmationPolicy: 'fast' }, 400, 'invalid_request', '/confirmationPolicy'],
    [{ livemode: true }, 400, 'invalid_request', '/livemode'],
  ])('refuses %j with %i %s at %j', async (changes, status, code, pointer) => {
    const body = { amount: '150.00', currency: 'USDC', accept: ['USDC.local'], ...changes }
    const answer = await world.ask(path, { body })
    expect([answer.status, answer.json.code]).toEqual([status, code])
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(answer.json.errors.map((e: { pointer: string }) => e.pointer)).toContain(pointer)
  })

  it('stores reference and metadata in any script unchanged', async () => {
    const reference = 'Bestellung №42 · 🧾 · ไทย · می\u200cخواهم · "<script>" \\'
    const { id } = await world.create({ reference, metadata: { 'Schlüssel 🔑': reference } })
    const { json } = await world.ask(`${path}/${id}`)
    expect(json.reference).toBe(reference)
    expect(json.metadata).toEqual({ 'Schlüssel 🔑': reference })
    const found = await world.ask(`${path}?reference=${encodeURIComponent(reference)}`)
    expect(found.json.data.map((each: { id: string }) => each.id)).toEqual([id])
  })
})

describe('listing payments', () => {
  it('pages through all of them, newest first, each once', async () => {
    const key = await world.strangersKey()
    const made: string[] = []
    for (let i = 0; i < 5; i++) {
      const body = { amount: '1.00', currency: 'USDC' }
      made.unshift((await world.ask(path, { key, body })).json.id)
      await world.engine.clock.advance(1)
    }
    const seen: string[] = []
    let cursor = ''
    for (let pages = 0; pages < 5; pages++) {
      const { json } = await world.ask(`${path}?limit=2${cursor}`, { key })
      seen.push(...json.data.map((each: { id: string }) => each.id))
      if (json.nextCursor === null) break
      cursor = `&cursor=${json.nextCursor}`
    }
    expect(seen).toEqual(made)
  })

  it.each([
    'limit=0',
    'limit=101',
    'limit=-1',
    'limit=1e1',
    'limit=1&limit=2',
    'status=paid',
    'cursor=pi_x',
    'txHash=0x12',
    'address=vitalik.eth',
    'reference=%00',
    'colour=red',
  ])('refuses ?%s', async (query) => {
    const answer = await world.ask(`${path}?${query}`)
    expect([answer.status, answer.json.code]).toEqual([400, 'invalid_request'])
    expect(answer.json.errors).not.toEqual([])
  })
})

describe('cancelling a payment', () => {
  it('cancels it once, and answers a repeated request the same', async () => {
    const { id } = await world.create()
    const first = await world.ask(`${path}/${id}/cancel`, { body: { reason: 'out of stock' } })
    expect(first.status).toBe(200)
    expect(first.json).toMatchObject({ status: 'cancelled', sequence: 2 })
    const again = await world.ask(`${path}/${id}/cancel`, { method: 'POST' })
    expect(again.json).toMatchObject({ status: 'cancelled', sequence: 2 })
  })

  it('is refused once money was detected', async () => {
    const payment = await world.create()
    await world.pay(payment)
    const answer = await world.ask(`${path}/${payment.id}/cancel`, { body: {} })
    expect([answer.status, answer.json.code]).toEqual([409, 'not_cancellable'])
  })
})

function manyPairs(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']))
}

describe('a payment whose stored state the server cannot read', () => {
  it('is in `unreadable` of a list beside the other payments; its own route fails', async () => {
    const reference = 'unreadable'
    const body = { amount: '1.00', currency: 'USDC', reference }
    const ids: string[] = []
    for (let i = 0; i < 4; i++) ids.push((await world.ask(path, { body })).json.id)
    const [oldest, bad, good, newest] = ids.sort()
    const revive = paymentKind.revive
    const faulty = vi.spyOn(paymentKind, 'revive').mockImplementation((stored) => {
      if (stored.id === bad) throw new TypeError('a fault of this test')
      return revive(stored)
    })
    const idsOf = (json: { data: { id: string }[] }) => json.data.map(({ id }) => id)
    const first = await world.ask(`${path}?reference=${reference}&limit=3`)
    expect([first.status, idsOf(first.json), first.json.unreadable, first.json.nextCursor]).toEqual(
      [200, [newest, good], [bad], bad],
    )
    const second = await world.ask(`${path}?reference=${reference}&limit=3&cursor=${bad}`)
    expect([idsOf(second.json), second.json.nextCursor]).toEqual([[oldest], null])
    expect('unreadable' in second.json).toBe(false)
    const alone = await world.ask(`${path}/${bad}`)
    expect([alone.status, alone.json.code]).toEqual([500, 'internal_contradiction'])
    faulty.mockRestore()
  })
})
