import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, HttpWorld } from '../../../test/support/http-world.ts'
import { pageWithState } from './page.ts'

let world: HttpWorld
let payment: Answered['json']
let path: string
beforeAll(async () => {
  world = await HttpWorld.start()
  payment = await world.create({ reference: 'order-42', metadata: { secret: 'of the shop' } })
  path = new URL(payment.checkoutUrl).pathname
})
afterAll(() => world.close())

const open = (url: string) => world.ask(url, { key: null })
const stateIn = (page: Answered): Answered['json'] =>
  JSON.parse(
    /<script type="application\/json" id="settlewire-state">(.*?)<\/script>/s.exec(
      page.text,
    )?.[1] ?? '',
  )

describe('the checkout page', () => {
  it('contains the state of its payment, as the payer may see it', async () => {
    const page = await open(path)
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const state = stateIn(page)
    expect(state).toMatchObject({ merchant: { name: 'A shop' }, sandbox: true })
    expect(state.payment).toMatchObject({ id: payment.id, status: 'awaiting', amount: '150.00' })
    expect(page.text).not.toMatch(/of the shop|order-42/)
    // The client secret, for browsers that block cookies, but no secret of the merchant.
    expect(state.clientSecret).toBe(payment.clientSecret)
    expect(state.payment.clientSecret).toBeUndefined()
    expect(page.text).not.toContain(world.secretKey)
    expect(state.chainNames).toMatchObject({ local: 'Local test chain', other: 'Other Chain' })
  })

  it('sets an HttpOnly cookie for its own payment', async () => {
    const page = await open(path)
    const cookies = page.headers.getSetCookie()
    expect(cookies).toEqual([
      `settlewire_checkout=${payment.clientSecret}; Path=/v1/payment-intents/${payment.id}; HttpOnly; SameSite=Lax`,
      `settlewire_checkout=${payment.clientSecret}; Path=/v1/test/payment-intents/${payment.id}; HttpOnly; SameSite=Lax`,
    ])
    const cookie = cookies[0]?.split(';')[0] ?? ''
    const read = await world.ask(`/v1/payment-intents/${payment.id}`, {
      ...{ key: null, headers: { cookie } },
    })
    expect(read.status).toBe(200)
  })

  it('sets a Secure cookie on https, and shows no sandbox without one', async () => {
    const live = await HttpWorld.start({ sandbox: false, publicUrl: () => 'https://pay.example' })
    const { checkoutUrl } = await live.create()
    expect(checkoutUrl).toMatch(/^https:\/\/pay\.example\/pay\//)
    const page = await live.ask(new URL(checkoutUrl).pathname, { key: null })
    expect(page.headers.getSetCookie()).toHaveLength(1)
    expect(page.headers.getSetCookie()[0]).toMatch(/; Secure$/)
    expect(page.headers.get('strict-transport-security')).toBe('max-age=31536000')
    expect(stateIn(page).sandbox).toBe(false)
    await live.close()
  })

  it('has a content security policy that allows its own origin only, and no frames', async () => {
    const { headers } = await open(path)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/default-src 'none'; script-src 'self'; style-src 'self'/)
    expect(policy).toMatch(/connect-src 'self'/)
    expect(policy).toMatch(/frame-ancestors 'none'/)
    expect(policy).not.toMatch(/unsafe|\*|http/)
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-robots-tag')).toBe('noindex, nofollow')
  })

  it('answers every wrong link with the same error page, without a cookie', async () => {
    const token = path.split('/').at(-1) ?? ''
    const other = await world.create()
    const wrong = [
      `/pay/${payment.id}/${'a'.repeat(22)}`,
      `/pay/${payment.id}/${token.slice(1)}`,
      `/pay/${other.id}/${token}`,
      `/pay/pi_${'z'.repeat(26)}/${token}`,
      `/pay/x/${token}`,
      '/pay/%00/%00',
    ]
    const pages = await Promise.all(wrong.map(open))
    for (const page of pages) {
      expect(page.status).toBe(404)
      expect(page.headers.get('content-type')).toMatch(/^text\/html/)
      expect(page.text).toBe(pages[0]?.text)
      expect(page.headers.getSetCookie()).toEqual([])
      expect(page.headers.get('content-security-policy')).toMatch(/style-src 'sha256-/)
    }
  })

  it('escapes texts of the merchant in its state', async () => {
    const redirectUrl = 'https://shop.example/?x=</script><script>alert(1)</script><!--&$&'
    const evil = await world.create({ redirectUrl })
    const page = await open(new URL(evil.checkoutUrl).pathname)
    expect(stateIn(page).payment.redirectUrl).toBe(new URL(redirectUrl).href)
    expect(page.text.match(/<\/script>/g)).toHaveLength(2)
    expect(page.text).not.toContain('alert(1)</script>')
    // Unlike a URL, a name arrives here without any encoding.
    const made = pageWithState('<head></head>', { name: `${redirectUrl}\u2028` })
    expect(made.match(/<\/?script/g)).toHaveLength(2)
    expect(made).not.toMatch(/<!--|\u2028/)
  })

  it('is an error page when the history cannot be read', async () => {
    const sick = await HttpWorld.start()
    const { checkoutUrl } = await sick.create()
    await sick.engine.store.load(paymentKind, [])
    sick.engine.around = async () => {
      throw new Error('the disk is on fire')
    }
    const page = await sick.ask(new URL(checkoutUrl).pathname, { key: null })
    expect(page.status).toBe(500)
    expect(page.headers.get('content-type')).toMatch(/^text\/html/)
    expect(page.text).not.toContain('fire')
    expect(sick.logged.join('')).toContain('the disk is on fire')
    await sick.close()
  })

  it('is an error page when it was not built', async () => {
    const bare = await HttpWorld.start({ webRoot: '/nowhere/at/all' })
    const { checkoutUrl } = await bare.create()
    const page = await bare.ask(new URL(checkoutUrl).pathname, { key: null })
    expect(page.status).toBe(503)
    expect(page.text).toContain('npm run build')
    await bare.close()
  })
})

describe('an asset of a page', () => {
  const asset = '/assets/checkout-0a1b2c3d.js'

  it('is cached forever if its name has a hash of its content', async () => {
    const hashed = await open(asset)
    expect(hashed.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(hashed.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(hashed.headers.get('x-content-type-options')).toBe('nosniff')
    const plain = await open('/assets/plain.svg')
    expect(plain.headers.get('cache-control')).toBe('no-cache')
    expect(plain.headers.get('content-type')).toBe('image/svg+xml')
  })

  it.each([
    ['br', 'gzip, deflate, br', 'br'],
    ['gzip', 'gzip', 'gzip'],
    ['gzip if br is refused', 'br;q=0, gzip;q=0.5', 'gzip'],
    ['identity if no compression is accepted', 'identity', null],
  ])('is sent as %s', async (_, accepted, encoding) => {
    const headers = { 'accept-encoding': accepted }
    const answer = await world.ask(asset, { key: null, headers })
    expect(answer.headers.get('content-encoding')).toBe(encoding)
    expect(answer.headers.get('vary')).toBe('accept-encoding')
    expect(answer.text).toMatch(/^export const answer = 42\n/)
  })

  it('is answered with 304 if the client has the current version', async () => {
    const etag = (await open(asset)).headers.get('etag') ?? ''
    const again = await world.ask(asset, { key: null, headers: { 'if-none-match': etag } })
    expect([again.status, again.text]).toEqual([304, ''])
  })

  it.each([
    '/assets/../checkout.html',
    '/assets/%2e%2e/checkout.html',
    '/assets/..%2fcheckout.html',
    '/assets/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '/assets/',
    '/assets/nothing.js',
    '/assets/constructor',
    '/checkout.html',
  ])('is 404 for a path outside of the assets: %s', async (url) => {
    expect((await open(url)).status).toBe(404)
  })
})
