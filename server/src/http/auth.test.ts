import { keyScopes } from '@settlewire/core/scope'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { merchant, stranger } from '../../../test/support/engine-world.ts'
import { type Answered, type Asking, HttpWorld } from '../../../test/support/http-world.ts'
import { opened } from '../../../test/support/payments.ts'
import { systemClock } from '../clock.ts'
import { clientSecretOf, hashKey, mintKey } from '../credential.ts'
import type { RouteAccess } from './access.ts'
import { clientSecretUntil } from './auth.ts'
import { routeAccess } from './route-access.ts'

let world: HttpWorld
let payment: Answered['json']
beforeAll(async () => {
  world = await HttpWorld.start()
  payment = await world.create({ reference: 'order-42', metadata: { note: 'private' } })
})
afterAll(() => world.close())

const path = '/v1/payment-intents'
const unknownId = `pi_${'z'.repeat(26)}`

/** Every route that needs credentials, with a valid request. */
const guarded = (id: string): readonly (readonly [string, Asking])[] => [
  [path, { body: { amount: '1.00', currency: 'USDC' } }],
  [path, {}],
  [`${path}/${id}`, {}],
  [`${path}/${id}/cancel`, { body: {} }],
  [`${path}/${id}/events`, {}],
  [`${path}/${id}/stream`, {}],
  [`${path}/${id}/claims`, { body: { txHash: `0x${'ab'.repeat(32)}` } }],
  [`${path}/${id}/resolve`, { body: { action: 'dismiss', reason: 'no concern' } }],
  [`${path}/${id}/policy`, {}],
  ['/v1/events', {}],
  ['/v1/chains', {}],
]

describe('a request without a valid key', () => {
  it.each([
    ['no header', {}],
    ['an empty header', { authorization: '' }],
    ['no token', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: 'Basic c2s6' }],
    ['an unknown key', { authorization: `Bearer sk_test_${'x'.repeat(32)}` }],
    ['a malformed key', { authorization: 'Bearer abc' }],
    ['a very long key', { authorization: `Bearer ${'a'.repeat(5_000)}` }],
    ['a forged client secret', { authorization: `Bearer ${unknownId}_secret_${'a'.repeat(32)}` }],
    ['a malformed cookie', { cookie: 'settlewire_checkout=x' }],
  ])('gets 401 from every route: %s', async (_, headers) => {
    for (const [url, asking] of guarded(payment.id)) {
      const answer = await world.ask(url, { ...asking, key: null, headers })
      expect([url, answer.status, answer.json?.code]).toEqual([url, 401, 'unauthenticated'])
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
    }
  })

  it('gets 401 before its body is parsed', async () => {
    const answer = await world.ask(path, { key: null, body: '{"broken' })
    expect(answer.status).toBe(401)
  })

  it('gets 401 with a genuine client secret of a missing payment', async () => {
    const secret = clientSecretOf(new Uint8Array(32).fill(2), unknownId)
    expect((await world.ask(`${path}/${unknownId}`, { key: secret })).status).toBe(401)
  })
})

describe('a key', () => {
  it('is refused with `key_revoked` once it is revoked', async () => {
    const key = await world.addKey({})
    expect((await world.ask(path, { key })).status).toBe(200)
    // The time of revocation comes from another machine, whose clock may be ahead.
    const at = world.engine.clock.now() + 60_000
    await world.engine.keys.revoke(await world.idOf(key), at)
    const { status, json, headers } = await world.ask(path, { key })
    expect([status, json.code]).toEqual([401, 'key_revoked'])
    expect(headers.get('www-authenticate')).toMatch(/^Bearer/)
  })

  it('still works after a rotation until the overlap with the new key ends', async () => {
    const { clock, keys } = world.engine
    const [old, next] = [await world.addKey({}), mintKey('secret', false, systemClock)]
    const at = clock.now()
    const hash = hashKey(new Uint8Array(32).fill(1), next.key)
    const id = `key_${'n'.repeat(26)}`
    const replacement = { id, prefix: next.prefix, hash, at, until: at + 60_000 }
    expect(await keys.replace(await world.idOf(old), replacement)).toBe(true)
    const codes = async () => {
      const answers = [await world.ask(path, { key: old }), await world.ask(path, next)]
      return answers.map(({ status, json }) => json.code ?? status)
    }
    expect(await codes()).toEqual([200, 200])
    await clock.advance(59_999)
    expect(await codes()).toEqual([200, 200])
    await clock.advance(1)
    expect(await codes()).toEqual(['key_expired', 200])
  })

  it('is refused while its merchant is disabled; client secrets still work', async () => {
    const { directory } = world.engine
    const key = await world.strangersKey()
    await directory.disableMerchant(stranger.merchantId, world.engine.clock.now())
    const refused = await world.ask(path, { key })
    expect([refused.status, refused.json.code]).toEqual([403, 'merchant_disabled'])
    expect((await world.ask(path)).status).toBe(200)
    await directory.disableMerchant(stranger.merchantId, null)
    expect((await world.ask(path, { key })).status).toBe(200)
    const at = world.engine.clock.now()
    await directory.disableMerchant(merchant.merchantId, at)
    const seen = await world.ask(`${path}/${payment.id}`, { key: payment.clientSecret })
    await directory.disableMerchant(merchant.merchantId, null)
    expect(seen.status).toBe(200)
  })

  it('that is restricted may use only the routes of its scopes', async () => {
    const reader = await world.addKey({ kind: 'restricted', scopes: ['payment_intents:read'] })
    const writer = await world.addKey({ kind: 'restricted', scopes: ['payment_intents:write'] })
    const feeder = await world.addKey({ kind: 'restricted', scopes: ['events:read'] })
    const statusOf = async (key: string) => {
      const body = { amount: '1.00', currency: 'USDC' }
      const answers = [
        await world.ask(path, { key }),
        await world.ask(`${path}/${payment.id}`, { key }),
        await world.ask(path, { key, body }),
        await world.ask('/v1/events', { key }),
        await world.ask('/v1/chains', { key }),
      ]
      return answers.map((answer) => answer.status)
    }
    expect(await statusOf(reader)).toEqual([200, 200, 403, 403, 200])
    expect(await statusOf(writer)).toEqual([403, 403, 201, 403, 200])
    expect(await statusOf(feeder)).toEqual([403, 403, 403, 200, 200])
  })

  it.each(
    Object.entries<RouteAccess>(routeAccess).flatMap(([route, access]) =>
      access.who === 'anyone' || access.scope === 'identity'
        ? []
        : [[route, access.scope] as const],
    ),
  )('with all scopes but one is refused, naming the scope: %s needs %s', async (route, scope) => {
    const others = keyScopes.filter((one) => one !== scope)
    const key = await world.addKey({ kind: 'restricted', scopes: others })
    const [method = '', url = ''] = route.split(' ')
    const asking = { method, key, ...(method === 'POST' && { body: {} }) }
    const { status, json } = await world.ask(url.replace(':id', payment.id), asking)
    expect([status, json.code]).toEqual([403, 'scope_missing'])
    expect(json.detail).toBe(`This restricted key lacks the scope ${scope}.`)
  })

  it('that is publishable may only read /v1/chains', async () => {
    const key = await world.addKey({ kind: 'publishable' })
    for (const [url, asking] of guarded(payment.id)) {
      const answer = await world.ask(url, { ...asking, key })
      expect([url, answer.status]).toEqual([url, url === '/v1/chains' ? 200 : 403])
    }
  })

  it('of live mode sees no payments, events or chains of test mode', async () => {
    const key = await world.addKey({ livemode: true })
    expect((await world.ask(`${path}/${payment.id}`, { key })).status).toBe(404)
    expect((await world.ask(path, { key })).json.data).toEqual([])
    expect((await world.ask('/v1/events', { key })).json.data).toEqual([])
    expect((await world.ask('/v1/chains', { key })).json.data).toEqual([])
  })

  it('is refused if its prefix names another kind than its stored row', async () => {
    const key = await world.addKey({ kind: 'publishable' })
    const answer = await world.ask(path, { key: key.replace('pk_', 'sk_') })
    expect(answer.status).toBe(401)
  })
})

describe('a payment of another merchant', () => {
  it('gets the same answer as an unknown payment, except for the request id', async () => {
    const key = await world.strangersKey()
    const same = (answer: Answered) => ({
      status: answer.status,
      body: answer.text.replaceAll(/req_\w+/g, 'req'),
      headers: [...answer.headers.keys()].filter((name) => name !== 'request-id'),
    })
    const others = guarded(payment.id).filter(([url]) => url.includes(payment.id))
    expect(others).toHaveLength(7)
    for (const [url, asking] of others) {
      const foreign = await world.ask(url, { ...asking, key })
      expect(foreign.status).toBe(404)
      for (const id of [unknownId, 'pi_x', '%00', '..%2f', `evt_${'0'.repeat(26)}`]) {
        const unknown = await world.ask(url.replace(payment.id, id), { ...asking, key })
        expect([id, same(unknown)]).toEqual([id, same(foreign)])
      }
    }
    expect((await world.ask(path, { key })).text).not.toContain(payment.id)
    expect((await world.ask('/v1/events', { key })).text).not.toContain(payment.id)
    const found = await world.ask(`${path}?reference=order-42`, { key })
    expect(found.json.data).toEqual([])
  })
})

describe('a client secret', () => {
  it('reads its payment without the fields that are private to the merchant', async () => {
    await world.pay(payment)
    const { json } = await world.ask(`${path}/${payment.id}`, { key: payment.clientSecret })
    expect(json).toMatchObject({ id: payment.id, status: 'confirming' })
    expect(json.transfers).toHaveLength(1)
    for (const name of ['reference', 'metadata', 'transactionId', 'checkoutUrl', 'clientSecret']) {
      expect(json).not.toHaveProperty(name)
    }
    expect(json.transfers[0]).not.toHaveProperty('from')
    const own = await world.ask(`${path}/${payment.id}`)
    expect(own.json.transfers[0]).toHaveProperty('from')
  })

  it('gets 404 for any other payment, whether it exists or not', async () => {
    const { id } = await world.create()
    const key = payment.clientSecret
    expect((await world.ask(`${path}/${id}`, { key })).status).toBe(404)
    expect((await world.ask(`${path}/${unknownId}`, { key })).status).toBe(404)
  })

  it('is refused on all routes but those to read its payment and to claim', async () => {
    const key = payment.clientSecret
    for (const [url, asking] of guarded(payment.id)) {
      if (
        ['', '/events', '/stream', '/claims', '/policy'].some(
          (end) => url === `${path}/${payment.id}${end}`,
        )
      )
        continue
      expect([url, (await world.ask(url, { ...asking, key })).status]).toEqual([url, 403])
    }
  })

  it('works as a cookie for its own payment, and not with a malformed key beside it', async () => {
    const { id } = await world.create()
    const cookie = `a=b; settlewire_checkout=${payment.clientSecret}; c`
    const ask = (of: string, headers: Record<string, string> = {}) =>
      world.ask(`${path}/${of}`, { key: null, headers: { cookie, ...headers } })
    expect((await ask(payment.id)).status).toBe(200)
    expect((await ask(id)).status).toBe(401)
    expect((await ask(payment.id, { authorization: 'Bearer x' })).status).toBe(401)
    const cancel = await world.ask(`${path}/${payment.id}/cancel`, {
      ...{ key: null, headers: { cookie }, method: 'POST' },
    })
    expect(cancel.status).toBe(401)
  })

  it('as a cookie allows writes only from our own pages', async () => {
    const { host } = new URL(world.url)
    const claim = (headers: Readonly<Record<string, string>>) =>
      world.ask(`${path}/${payment.id}/claims`, {
        ...{ key: null, body: { txHash: `0x${'cd'.repeat(32)}` } },
        headers: { cookie: `settlewire_checkout=${payment.clientSecret}`, ...headers },
      })
    const refused: Record<string, string>[] = [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://${host}`, 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
    ]
    for (const headers of refused) {
      const { status, json } = await claim(headers)
      expect([headers, status, json.code]).toEqual([headers, 403, 'cross_site_write'])
    }
    for (const headers of [{ 'sec-fetch-site': 'same-origin' }, { origin: `http://${host}` }]) {
      expect([headers, (await claim(headers)).status]).toEqual([headers, 202])
    }
    const bearer = await world.ask(`${path}/${payment.id}/claims`, {
      ...{ key: payment.clientSecret, body: { txHash: `0x${'cd'.repeat(32)}` } },
      headers: { origin: 'https://shop.example', 'sec-fetch-site': 'cross-site' },
    })
    expect(bearer.status).toBe(202)
  })

  it('as a cookie allows no reads from pages of other sites', async () => {
    const cookie = `settlewire_checkout=${payment.clientSecret}`
    const ask = (site: string) =>
      world.ask(`${path}/${payment.id}`, { key: null, headers: { cookie, 'sec-fetch-site': site } })
    expect((await ask('same-origin')).status).toBe(200)
    expect((await ask('none')).status).toBe(200)
    for (const site of ['same-site', 'cross-site']) expect((await ask(site)).status).toBe(401)
  })

  it('expires a day after the watch, but not while money is on its way', async () => {
    const own = await HttpWorld.start()
    const closed = await own.create({ expiresIn: 60 })
    const open = await own.create({ expiresIn: 60 })
    await own.ask(`${path}/${closed.id}/cancel`, { body: {} })
    const statusOf = async ({ id, clientSecret }: Answered['json']) =>
      (await own.ask(`${path}/${id}`, { key: clientSecret })).status
    const dayMs = 24 * 3_600_000
    await own.engine.clock.advance(60_000 + 2 * dayMs)
    expect([await statusOf(closed), await statusOf(open)]).toEqual([200, 200])
    await own.engine.clock.advance(1)
    expect([await statusOf(closed), await statusOf(open)]).toEqual([401, 401])
    await own.close()
    const { payment: waiting } = opened()
    const until = waiting.terms.monitorUntil + dayMs
    expect(clientSecretUntil(waiting)).toBe(until)
    expect(clientSecretUntil({ ...waiting, status: 'expired' })).toBe(until)
    expect(clientSecretUntil({ ...waiting, status: 'confirming' })).toBeNull()
  })
})

it('the log contains no secret, token or address', async () => {
  await world.ask(`${path}/${payment.id}?${payment.clientSecret}`, { key: payment.clientSecret })
  await world.ask(new URL(payment.checkoutUrl).pathname, { key: null })
  await world.ask(`/nowhere/${payment.clientSecret}`)
  const log = world.logged.join('')
  expect(log).toContain('"route":"/v1/payment-intents/:id"')
  expect(log).toContain('"route":"/pay/:id/:token"')
  const token = payment.checkoutUrl.split('/').at(-1)
  for (const secret of [payment.clientSecret, world.secretKey, token, 'order-42', 'Bearer']) {
    expect(log).not.toContain(secret)
  }
  expect(log).not.toContain(payment.accept[0].address)
  expect(merchant.merchantId).toMatch(/^mer_/)
})
