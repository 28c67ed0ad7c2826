import { afterEach, describe, expect, it, vi } from 'vitest'
import { edgeLimits } from '../../../../test/support/edge-world.ts'
import { HttpWorld } from '../../../../test/support/http-world.ts'
import { StreamLimits } from './stream-limits.ts'

const limits = { streamsPerPaymentMax: 3, streamsPerMerchantMax: 5, streamsPerAddressMax: 2 }
const owner = { paymentId: 'pi_1', merchantId: 'mer_1', address: null }

describe('the limits of streams', () => {
  const refused: string[] = []
  const open = () => new StreamLimits(limits, { requestRefused: (code) => refused.push(code) })
  const codeOf = (enter: () => unknown): unknown => {
    try {
      enter()
      return null
    } catch (error) {
      return (error as { code?: unknown }).code // a `Failure`
    }
  }
  const many = (count: number, make: (index: number) => typeof owner) => {
    const limiter = open()
    for (let index = 0; index < count; index++) limiter.enter(make(index))
    return codeOf(() => limiter.enter(make(count)))
  }

  it.each([
    ['too_many_streams_of_payment', 3, () => owner],
    ['too_many_streams_of_merchant', 5, (index: number) => ({ ...owner, paymentId: `${index}` })],
    [
      'too_many_streams_of_address',
      2,
      (index: number) => ({ paymentId: `${index}`, merchantId: `${index}`, address: '::/64' }),
    ],
  ] as const)('refuse the next one with its own code, and count it: %s', (code, max, make) => {
    expect(many(max, make as (index: number) => typeof owner)).toBe(code)
    expect(refused.at(-1)).toBe(code)
  })

  it('admit another one for each that has left', () => {
    const limiter = open()
    for (let index = 0; index < 3; index++) limiter.enter(owner)
    limiter.leave(owner)
    expect(codeOf(() => limiter.enter(owner))).toBeNull()
    expect(codeOf(() => limiter.enter(owner))).toBe('too_many_streams_of_payment')
  })

  it('count nothing of a refused one', () => {
    const limiter = open()
    const address = { ...owner, address: '1.2.3.4' }
    limiter.enter(address)
    limiter.enter(address)
    for (let again = 0; again < 5; again++)
      expect(codeOf(() => limiter.enter(address))).not.toBeNull()
    expect(codeOf(() => limiter.enter(owner))).toBeNull()
  })
})

describe('a server with limits of streams', () => {
  let world: HttpWorld
  afterEach(() => world.close())

  /** Resolves when so many are open: a client knows of its own end before the server does. */
  const isOpen = (transport: string, count: number): Promise<void> =>
    vi.waitFor(
      async () => {
        const text = await world.metrics.text()
        expect(text).toContain(`settlewire_streams_open{transport="${transport}"} ${count}\n`)
      },
      { timeout: 10_000 },
    )

  it('counts streams and long-polls together, refuses with Retry-After, and has room again', async () => {
    world = await HttpWorld.start({ edge: { ...edgeLimits, streamsPerPaymentMax: 2 } })
    const { id } = await world.create()
    const path = `/v1/payment-intents/${id}/stream`
    const over = new AbortController()
    const headers = { authorization: `Bearer ${world.secretKey}` }
    const open = () => fetch(world.url + path, { headers, signal: over.signal })
    await open()
    const polling = new AbortController()
    const poll = world
      .ask(`/v1/payment-intents/${id}/events?after=1&wait=25`, { signal: polling.signal })
      .catch(() => null)
    await isOpen('long_poll', 1)
    const refused = await world.ask(path)
    expect([refused.status, refused.json.code]).toEqual([429, 'too_many_streams_of_payment'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    // What does not wait is not counted.
    expect((await world.ask(`/v1/payment-intents/${id}/events`)).status).toBe(200)
    polling.abort()
    await poll
    await isOpen('long_poll', 0)
    expect((await open()).status).toBe(200)
    await isOpen('sse', 2)
    expect((await world.ask(path)).status).toBe(429)
    over.abort()
    await isOpen('sse', 0)
    expect((await world.ask(path, { method: 'HEAD' })).status).toBe(200)
  })

  it.each([
    [
      'of an address, which a trusted proxy forwards',
      'too_many_streams_of_address',
      { streamsPerAddressMax: 1 },
      ['203.0.113.7', '203.0.113.8'],
    ],
    [
      'of a merchant, over all payments and the feed',
      'too_many_streams_of_merchant',
      { streamsPerMerchantMax: 1 },
      ['203.0.113.7', null],
    ],
  ] as const)('refuses one more stream %s', async (_, code, limit, [mine, other]) => {
    world = await HttpWorld.start({ edge: { ...edgeLimits, ...limit } })
    const [one, two] = [await world.create(), await world.create()]
    const over = new AbortController()
    const headers = { authorization: `Bearer ${world.secretKey}` }
    const open = (path: string, address: string) =>
      fetch(world.url + path, {
        headers: { ...headers, 'x-forwarded-for': address },
        signal: over.signal,
      })
    expect((await open(`/v1/payment-intents/${one.id}/stream`, mine)).status).toBe(200)
    for (const path of [`/v1/payment-intents/${two.id}/stream`, '/v1/events/stream']) {
      const refused = await world.ask(path, { headers: { 'x-forwarded-for': mine } })
      expect([refused.status, refused.json.code], path).toEqual([429, code])
    }
    // Another address has room of its own; a merchant has one limit for all addresses.
    if (other !== null) expect((await open('/v1/events/stream', other)).status).toBe(200)
    const text = await world.metrics.text()
    expect(text).toContain(`settlewire_requests_refused_total{code="${code}"} 2\n`)
    over.abort()
  })

  it('counts no stream that was answered with 204, HEAD, or not at all', async () => {
    world = await HttpWorld.start({ edge: { ...edgeLimits, streamsPerPaymentMax: 1 } })
    const { id } = await world.create()
    await world.ask(`/v1/payment-intents/${id}/cancel`, { body: {} })
    const { json } = await world.ask(`/v1/payment-intents/${id}/events`)
    const headers = { 'last-event-id': json.data.at(-1).id }
    const path = `/v1/payment-intents/${id}/stream`
    for (let again = 0; again < 3; again++) {
      expect((await world.ask(path, { headers })).status).toBe(204)
      expect((await world.ask(path, { method: 'HEAD' })).status).toBe(200)
    }
  })
})
