import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, HttpWorld } from '../../../../test/support/http-world.ts'
import { systemClock } from '../../clock.ts'

let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.start()
})
afterAll(() => world.close())

const randomHash = (): string => `0x${Buffer.from(systemClock.random(32)).toString('hex')}`
const claimsOf = ({ id }: Answered['json']) => `/v1/payment-intents/${id}/claims`
const claim = (payment: Answered['json'], body: object, key = payment.clientSecret) =>
  world.ask(claimsOf(payment), { key, body })

/** Puts a transaction that pays it into the model chain's mempool, without an announcement. */
function hold(payment: Answered['json'], amount = 150_000_000n): string {
  const txHash = randomHash()
  const pays = [{ to: payment.accept[0].address.toLowerCase(), amount }]
  world.engine.local.mempool.set(txHash, { txHash, pays })
  return txHash
}

describe('POST …/claims', () => {
  it('detects a claimed transaction that a node knows', async () => {
    const payment = await world.create()
    const txHash = hold(payment)
    const answer = await claim(payment, { txHash: txHash.toUpperCase().replace('0X', '0x') })
    expect(answer.status).toBe(202)
    expect(answer.json).toEqual({
      ...{ txHash, chain: 'local', known: 'pending', pays: true },
      message: 'The network knows this transaction. It counts once it is in a block.',
    })
    const { json } = await world.ask(`/v1/payment-intents/${payment.id}`)
    expect(json).toMatchObject({ status: 'pending_detected', amountPending: '150.00' })
  })

  it('answers for a transaction that is already in the history', async () => {
    const payment = await world.create()
    await world.pay(payment)
    const { json } = await world.ask(`/v1/payment-intents/${payment.id}`)
    const answer = await claim(payment, { txHash: json.transfers[0].txHash })
    expect(answer.json).toMatchObject({ known: 'mined', pays: true })
    expect(answer.json.message).toContain('pays this request')
  })

  it('counts no money for a claimed hash that no node knows', async () => {
    const payment = await world.create()
    const txHash = randomHash()
    const answer = await claim(payment, { txHash }, world.secretKey)
    expect(answer.json).toMatchObject({ chain: null, known: 'not_found', pays: null })
    const { json } = await world.ask(`/v1/payment-intents/${payment.id}`)
    expect(json).toMatchObject({
      status: 'awaiting',
      amountPending: '0.00',
      amountReceived: '0.00',
    })
    expect(json.transfers).toMatchObject([{ txHash, stage: 'claimed', amount: '0.00' }])
  })

  it('says so when the transaction pays another payment', async () => {
    const [payment, other] = [await world.create(), await world.create()]
    const answer = await claim(payment, { txHash: hold(other) })
    expect(answer.json).toMatchObject({ known: 'pending', pays: false })
    expect(answer.json.message).toContain('does not pay this request')
  })

  it('gives a repeated claim the same answer, with an Idempotency-Key and without', async () => {
    const payment = await world.create()
    const txHash = hold(payment)
    const headers = { 'idempotency-key': 'once' }
    const asking = { key: payment.clientSecret, body: { txHash, chain: 'local' }, headers }
    const first = await world.ask(claimsOf(payment), asking)
    expect((await world.ask(claimsOf(payment), asking)).json).toEqual(first.json)
    expect((await claim(payment, { txHash })).json).toEqual(first.json)
    const { json } = await world.ask(`/v1/payment-intents/${payment.id}`)
    expect(json.transfers).toHaveLength(1)
  })

  it.each([
    ['no hash', {}],
    ['half a hash', { txHash: '0x12' }],
    ['a number', { txHash: 12 }],
    ['a hash with a line break', { txHash: `${randomHash()}\n` }],
    ['an unknown field', { txHash: randomHash(), amount: '150.00' }],
    ['a malformed chain name', { txHash: randomHash(), chain: '../local' }],
    ['a chain that is not accepted', { txHash: randomHash(), chain: 'other' }],
  ])('refuses %s', async (_, body) => {
    const payment = await world.create()
    const answer = await claim(payment, body)
    expect([answer.status, answer.json.code]).toEqual([400, 'invalid_request'])
    expect(answer.json.errors.length).toBeGreaterThan(0)
    expect((await world.ask(`/v1/payment-intents/${payment.id}`)).json.sequence).toBe(1)
  })

  it('refuses the sixth open claim of a payment', async () => {
    const payment = await world.create()
    const answers = []
    for (let i = 0; i < 6; i++) answers.push(await claim(payment, { txHash: randomHash() }))
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 429])
    expect(answers.at(-1)?.json.code).toBe('too_many_claims')
  })

  it('limits the rate of repeated claims of one payment', async () => {
    const payment = await world.create()
    const txHash = randomHash()
    const answers = []
    for (let i = 0; i < 12; i++) answers.push(await claim(payment, { txHash }))
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.map(({ json }) => json.code)).toEqual(['rate_limited', 'rate_limited'])
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
    const other = await world.create()
    expect((await claim(other, { txHash: randomHash() })).status).toBe(202)
  })

  describe('with an Idempotency-Key', () => {
    const keyed = (payment: Answered['json'], body: object, key: string, by?: string) =>
      world.ask(claimsOf(payment), {
        ...{ key: by ?? payment.clientSecret, body, headers: { 'idempotency-key': key } },
      })

    it('repeats the first answer, also when the transaction was mined meanwhile', async () => {
      const payment = await world.create()
      const txHash = randomHash()
      const first = await keyed(payment, { txHash }, 'claim-1')
      expect(first.json).toMatchObject({ known: 'not_found', pays: null })
      const to = payment.accept[0].address.toLowerCase()
      const pays = [{ to, amount: 150_000_000n }]
      await world.engine.mine([{ txHash, pays }])
      const again = await keyed(payment, { txHash }, 'claim-1')
      expect([again.status, again.text]).toEqual([202, first.text])
      expect([first, again].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([
        ...[null, 'true'],
      ])
      // Without the key, or with another one, the answer is current.
      expect((await claim(payment, { txHash })).json).toMatchObject({ known: 'mined', pays: true })
      const known = await keyed(payment, { txHash }, 'claim-2')
      expect(known.json).toMatchObject({ known: 'mined', pays: true })
      expect((await keyed(payment, { txHash }, 'claim-2')).text).toBe(known.text)
    })

    it('refuses another claim with the same key, and does not store it', async () => {
      const payment = await world.create()
      const txHash = randomHash()
      await keyed(payment, { txHash }, 'claim-3')
      const other = await keyed(payment, { txHash: randomHash() }, 'claim-3')
      expect([other.status, other.json.code]).toEqual([422, 'idempotency_key_reused'])
      const { json } = await world.ask(`/v1/payment-intents/${payment.id}`)
      expect(json.transfers).toHaveLength(1)
    })

    it('answers idempotency_in_progress while the first request still runs', async () => {
      const payment = await world.create()
      const { lookUp } = world.engine
      const [gate, isRunning] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      world.engine.lookUp = async (chain, txHash) => {
        isRunning.resolve()
        await gate.promise
        return lookUp(chain, txHash)
      }
      const txHash = randomHash()
      const first = keyed(payment, { txHash }, 'claim-4')
      // Requests on two connections may arrive in either order.
      await isRunning.promise
      const codes = new Set<string>()
      await expect
        .poll(async () => {
          const { json } = await keyed(payment, { txHash }, 'claim-4')
          codes.add(json.code)
          return codes.size
        })
        .toBe(1)
      gate.resolve()
      expect((await first).status).toBe(202)
      world.engine.lookUp = lookUp
      expect([...codes]).toEqual(['idempotency_in_progress'])
    })

    it("keeps the payer's keys apart from the merchant's", async () => {
      const payment = await world.create()
      await keyed(payment, { txHash: randomHash() }, 'order-7')
      const created = await world.ask('/v1/payment-intents', {
        body: { amount: '1.00', currency: 'USDC', accept: ['USDC.local'] },
        headers: { 'idempotency-key': 'order-7' },
      })
      expect(created.status).toBe(201)
      const merchants = await keyed(payment, { txHash: randomHash() }, 'order-7', world.secretKey)
      expect(merchants.json.code).toBe('idempotency_key_reused')
    })
  })

  it('allows pages of other origins by its preflight', async () => {
    const { id } = await world.create()
    const preflight = await world.ask(`/v1/payment-intents/${id}/claims`, { method: 'OPTIONS' })
    expect(preflight.headers.get('access-control-allow-methods')).toBe('POST')
    expect(preflight.headers.get('access-control-allow-headers')).toContain('content-type')
  })

  it('does not log the transaction hash', async () => {
    const payment = await world.create()
    const txHash = randomHash()
    await claim(payment, { txHash })
    expect(world.logged.join('')).not.toContain(txHash)
  })
})
