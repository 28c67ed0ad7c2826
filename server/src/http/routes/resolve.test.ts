import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, HttpWorld } from '../../../../test/support/http-world.ts'

let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.start()
})
afterAll(() => world.close())

const path = (payment: Answered['json']) => `/v1/payment-intents/${payment.id}`
const accept = { action: 'accept', reason: 'Agreed with the customer.' }

/** A payment for which two thirds of the amount have arrived. */
async function underpaid(): Promise<Answered['json']> {
  const payment = await world.create({ expiresIn: 60 })
  await world.pay(payment, 100_000_000n)
  await world.engine.mine([], { blocks: 3 })
  return payment
}

describe('POST …/resolve', () => {
  it('records the decision with reason and key, and shows them only to the merchant', async () => {
    const payment = await underpaid()
    const answer = await world.ask(`${path(payment)}/resolve`, { body: accept })
    expect([answer.status, answer.json.status]).toEqual([200, 'succeeded'])
    expect(answer.json.flags).toContain('manually_marked')
    expect(answer.json.resolutions).toEqual([
      { ...accept, actor: expect.stringMatching(/^key_/), at: expect.any(String) },
    ])
    const browser = await world.ask(path(payment), { key: payment.clientSecret })
    expect(browser.json.status).toBe('succeeded')
    expect(browser.text).not.toContain('Agreed')
    expect(browser.json).not.toHaveProperty('resolutions')
    const events = await world.ask(`${path(payment)}/events`, { key: payment.clientSecret })
    expect(events.text).not.toContain('Agreed')
  })

  it('decides once per Idempotency-Key, and refuses another body with the same key', async () => {
    const payment = await underpaid()
    const headers = { 'idempotency-key': `resolve-${payment.id}` }
    const first = await world.ask(`${path(payment)}/resolve`, { body: accept, headers })
    const again = await world.ask(`${path(payment)}/resolve`, { body: accept, headers })
    expect(again.text).toBe(first.text)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    const body = { ...accept, reason: 'Another one.' }
    const other = await world.ask(`${path(payment)}/resolve`, { body, headers })
    expect(other.json.code).toBe('idempotency_key_reused')
    const { json } = await world.ask(path(payment))
    expect(json.resolutions).toHaveLength(1)
  })

  it('is refused while the policy needs no decision', async () => {
    const payment = await world.create()
    const answer = await world.ask(`${path(payment)}/resolve`, { body: accept })
    expect([answer.status, answer.json.code]).toEqual([409, 'nothing_to_resolve'])
  })

  it('refuses the payer, and keys without the scope payment_intents:resolve', async () => {
    const payment = await underpaid()
    const before = await world.ask(path(payment))
    const scopes = ['payment_intents:read', 'payment_intents:write'] as const
    const writes = await world.addKey({ kind: 'restricted', scopes })
    const refused = [
      [payment.clientSecret, 'forbidden'],
      [writes, 'scope_missing'],
      [await world.addKey({ kind: 'publishable' }), 'scope_missing'],
    ] as const
    for (const [key, code] of refused) {
      const answer = await world.ask(`${path(payment)}/resolve`, { body: accept, key })
      expect([answer.status, answer.json.code]).toEqual([403, code])
    }
    const cookie = `settlewire_checkout=${payment.clientSecret}`
    const byCookie = await world.ask(`${path(payment)}/resolve`, {
      ...{ body: accept, key: null },
      headers: { cookie },
    })
    expect(byCookie.status).toBe(401)
    expect((await world.ask(path(payment))).json.sequence).toBe(before.json.sequence)
    const decides = { kind: 'restricted', scopes: ['payment_intents:resolve'] } as const
    const key = await world.addKey(decides)
    const allowed = await world.ask(`${path(payment)}/resolve`, { body: accept, key })
    expect(allowed.status).toBe(200)
  })

  it.each([
    [{}],
    [{ action: 'accept' }],
    [{ action: 'accept', reason: '' }],
    [{ action: 'steal', reason: 'x' }],
    [{ action: 'accept', reason: 'x'.repeat(201) }],
    [{ action: 'accept', reason: 'a\u0000b' }],
    [{ ...accept, actor: 'somebody' }],
  ])('refuses %j', async (body) => {
    const payment = await world.create()
    const answer = await world.ask(`${path(payment)}/resolve`, { body })
    expect([answer.status, answer.json.code]).toEqual([400, 'invalid_request'])
  })
})
