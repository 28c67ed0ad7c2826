import { Failure } from '@settlewire/core/errors'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HttpWorld } from '../../../test/support/http-world.ts'
import { payRoutes } from './pay-routes.ts'
import type { Paying, SentTransaction } from './wallet.ts'

/** Records its calls. Another test checks the real wallet on the real chain. */
class NotingWallet {
  readonly address = `0x${'bb'.repeat(20)}`
  sent: Paying[] = []
  /** How often it was asked to pay. */
  asked = 0
  hold: Promise<void> = Promise.resolve()
  failure: Failure | null = null

  async pay(paying: Paying): Promise<SentTransaction> {
    this.asked++
    await this.hold
    if (this.failure !== null) throw this.failure
    this.sent.push(paying)
    return { txHash: `0x${String(this.sent.length).padStart(64, '0')}`, from: this.address }
  }

  speedUp = this.#nothingWaits
  cancel = this.#nothingWaits
  drop = this.#nothingWaits

  async #nothingWaits(): Promise<never> {
    throw new Failure('not_found', 'This payment has no pending transaction.')
  }
}

const wallet = new NotingWallet()
let world: HttpWorld

beforeAll(async () => {
  world = await HttpWorld.start({ plugins: [payRoutes(wallet)] })
})

afterAll(() => world.close())

beforeEach(() => {
  wallet.sent = []
  wallet.asked = 0
  wallet.hold = Promise.resolve()
  wallet.failure = null
})

const pathOf = (id: string): string => `/v1/test/payment-intents/${id}/pay`

describe('paying from the sandbox wallet', () => {
  it('sends the missing amount of the first asset to the address of the payment', async () => {
    const payment = await world.create()
    const { status, json } = await world.ask(pathOf(payment.id), { method: 'POST' })
    expect(status).toBe(200)
    expect(json).toEqual({
      txHash: `0x${'1'.padStart(64, '0')}`,
      chain: 'local',
      asset: 'USDC',
      amount: '150.00',
      from: wallet.address,
    })
    // Shown with a checksum, sent in the stored form.
    const [address, token] = [payment.accept[0].address, payment.accept[0].token].map((shown) =>
      shown.toLowerCase(),
    )
    expect(wallet.sent).toEqual([
      { amount: 150_000_000n, accept: expect.objectContaining({ address, token, chain: 'local' }) },
    ])
  })

  it('sends the rest of a partly paid payment, and refuses for a fully paid one', async () => {
    const payment = await world.create()
    await world.pay(payment, 100_000_000n)
    expect((await world.ask(pathOf(payment.id), { body: {} })).json.amount).toBe('50.00')
    await world.pay(payment, 50_000_000n)
    const { status, json } = await world.ask(pathOf(payment.id), { body: {} })
    expect([status, json.code]).toEqual([422, 'invalid_amount'])
    expect(json.errors).toEqual([{ pointer: '/amount', detail: json.detail }])
  })

  it('sends the requested amount and asset', async () => {
    const { id } = await world.create()
    const body = { amount: '0.5', asset: 'USDC.local' }
    expect((await world.ask(pathOf(id), { body })).json.amount).toBe('0.50')
    expect(wallet.sent.map(({ amount }) => amount)).toEqual([500_000n])
  })

  it.each([
    ['more decimals than the asset has', { amount: '0.0000001' }, 422, 'invalid_amount'],
    ['the amount 0', { amount: '0' }, 422, 'invalid_amount'],
    ['a number as amount', { amount: 5 }, 400, 'invalid_request'],
    ['an asset that is not accepted', { asset: 'ETH.local' }, 422, 'unsupported_asset'],
    ['an unknown field', { to: '0x00' }, 400, 'invalid_request'],
  ])('refuses %s and sends nothing', async (_, body, status, code) => {
    const { id } = await world.create()
    const answer = await world.ask(pathOf(id), { body })
    expect([answer.status, answer.json.code]).toEqual([status, code])
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(wallet.sent).toEqual([])
  })

  it("may be requested with the payment's client secret or cookie", async () => {
    const { id, clientSecret } = await world.create()
    const bearer = await world.ask(pathOf(id), { body: {}, key: clientSecret })
    expect(bearer.status).toBe(200)
    const headers = {
      cookie: `settlewire_checkout=${clientSecret}`,
      'sec-fetch-site': 'same-origin',
    }
    const cookie = await world.ask(pathOf(id), { body: {}, key: null, headers })
    expect(cookie.status).toBe(200)
  })

  it('is refused without credentials, and with those of other merchants or payments', async () => {
    const { id } = await world.create()
    const other = await world.create()
    const ask = async (key: string | null) => {
      const { status, json } = await world.ask(pathOf(id), { body: {}, key })
      return [status, json.code]
    }
    expect(await ask(null)).toEqual([401, 'unauthenticated'])
    expect(await ask(await world.strangersKey())).toEqual([404, 'not_found'])
    expect(await ask(other.clientSecret)).toEqual([404, 'not_found'])
    const publishable = await world.addKey({ kind: 'publishable' })
    expect(await ask(publishable)).toEqual([403, 'scope_missing'])
    expect(wallet.sent).toEqual([])
  })

  it('sends once per Idempotency-Key, and repeats its answer', async () => {
    const { id } = await world.create()
    const headers = { 'idempotency-key': 'pay-1' }
    const first = await world.ask(pathOf(id), { body: { amount: '1' }, headers })
    const again = await world.ask(pathOf(id), { body: { amount: '1' }, headers })
    expect(again.json).toEqual(first.json)
    expect(wallet.sent).toHaveLength(1)
    const changed = await world.ask(pathOf(id), { body: { amount: '2' }, headers })
    expect([changed.status, changed.json.code]).toEqual([422, 'idempotency_key_reused'])
  })

  it('answers idempotency_in_progress while the first request still runs', async () => {
    const { id } = await world.create()
    const headers = { 'idempotency-key': 'pay-2' }
    let release = (): void => undefined
    wallet.hold = new Promise((resolve) => {
      release = resolve
    })
    const first = world.ask(pathOf(id), { body: {}, headers })
    // On two connections the second request could arrive first.
    await expect.poll(() => wallet.asked).toBe(1)
    const second = await world.ask(pathOf(id), { body: {}, headers })
    expect(second.json.code).toBe('idempotency_in_progress')
    release()
    expect((await first).status).toBe(200)
    expect(wallet.sent).toHaveLength(1)
  })

  it('may be retried with the same key after chain_unavailable', async () => {
    const { id } = await world.create()
    const headers = { 'idempotency-key': 'pay-3' }
    wallet.failure = new Failure('chain_unavailable')
    const first = await world.ask(pathOf(id), { body: {}, headers })
    expect([first.status, first.json.code]).toEqual([503, 'chain_unavailable'])
    wallet.failure = null
    expect((await world.ask(pathOf(id), { body: {}, headers })).status).toBe(200)
  })

  it('is in the published contract', async () => {
    const { json } = await world.ask('/openapi.json')
    const { post } = json.paths['/v1/test/payment-intents/{id}/pay']
    expect(post.tags).toEqual(['Sandbox'])
    expect(Object.keys(post.responses)).toContain('422')
  })
})
