import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpWorld } from '../../../../test/support/http-world.ts'
import { systemClock } from '../../clock.ts'
import { html } from '../../html.ts'
import { products } from './products.ts'
import { shopRoutes } from './shop-routes.ts'

let world: HttpWorld

beforeAll(async () => {
  // The shop is built before the world can create its key.
  let secretKey = ''
  const shop = shopRoutes({
    secretKey: () => secretKey,
    // The server's clock stands still; the shop compares its times with the deadline.
    clock: { ...systemClock, now: () => world.engine.clock.now() },
    styles: join(import.meta.dirname, '../../../../web/src/ui'),
    publicUrl: (port) => `http://127.0.0.1:${port}`,
  })
  world = await HttpWorld.start({ plugins: [shop] })
  secretKey = world.secretKey
})

afterAll(() => world.close())

const order = (product: string) =>
  world.ask('/shop/orders', {
    key: null,
    body: new URLSearchParams({ product }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })

describe('the demo shop', () => {
  it('shows its products, without inline code and without other origins', async () => {
    const { status, text, headers } = await world.ask('/shop', { key: null })
    expect(status).toBe(200)
    for (const { name, price } of products) expect(text).toMatch(new RegExp(`${name}[^]*${price}`))
    expect(text).not.toMatch(/<script|<style|style="|https?:\/\//)
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self'/)
    const style = await world.ask('/shop/style.css', { key: null })
    expect(style.headers.get('content-type')).toBe('text/css; charset=utf-8')
    expect(style.text).toContain('--accent')
    expect((await world.ask('/', { key: null })).text).toContain('href="/shop"')
  })

  it('creates a payment with its secret key on "Pay" and redirects to the checkout', async () => {
    const { status, headers } = await order('tide-clock')
    expect(status).toBe(303)
    const checkout = headers.get('location') ?? ''
    const [, id] = /\/pay\/(pi_[0-9a-z]{26})\/[\w-]+$/.exec(checkout) ?? []
    const { json } = await world.ask(`/v1/payment-intents/${id}`)
    expect(json).toMatchObject({
      amount: '96.50',
      status: 'awaiting',
      metadata: { product: 'tide-clock' },
      redirectUrl: `${world.url}/shop/orders/${json.reference}`,
    })
  })

  it('shows the status of an order from the API: waiting, then paid', async () => {
    const { headers } = await order('deck-mug')
    const [, id] = /\/pay\/([^/]+)\//.exec(headers.get('location') ?? '') ?? []
    const { json: payment } = await world.ask(`/v1/payment-intents/${id}`)
    const path = `/shop/orders/${payment.reference}`
    const before = await world.ask(path, { key: null })
    expect(before.text).toContain('Waiting for your payment.')
    expect(before.text).toContain('http-equiv="refresh"')
    await world.pay(payment, 18_000_000n)
    await world.engine.mine([], { blocks: 2 })
    await expect.poll(async () => (await world.ask(path, { key: null })).text).toContain('Paid.')
    const after = await world.ask(path, { key: null })
    for (const secret of [payment.clientSecret, world.secretKey]) {
      expect(after.text).not.toContain(secret)
    }
  })

  it('answers unknown products and orders with an HTML page', async () => {
    for (const answer of [
      await order('lighthouse'),
      await world.ask('/shop/orders/order-000000000000', { key: null }),
      await world.ask('/shop/orders/%3Cscript%3E', { key: null }),
    ]) {
      expect(answer.status).toBe(404)
      expect(answer.headers.get('content-type')).toMatch(/^text\/html/)
      expect(answer.text).not.toContain('<script')
      expect(answer.text).toContain('href="/shop">Back to the shop</a>')
    }
  })

  it('refuses requests under foreign host names (DNS rebinding)', async () => {
    const as = (host: string, path: string, method = 'GET'): Promise<number> =>
      new Promise((resolve, reject) => {
        const type = 'application/x-www-form-urlencoded'
        const headers = { host, 'content-type': type, 'sec-fetch-site': 'same-origin' }
        const asked = request(`${world.url}${path}`, { method, headers }, (answer) => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        })
        asked.on('error', reject)
        asked.end(method === 'POST' ? 'lever=mine%3A1' : '')
      })
    const { port } = new URL(world.url)
    for (const host of ['attacker.example', `attacker.example:${port}`, '127.0.0.1.example', '@']) {
      // 400 where the name is no host name at all.
      const refused = host === '@' ? 400 : 403
      expect(await as(host, '/shop')).toBe(refused)
      expect(await as(host, '/lab')).toBe(refused)
      expect(await as(host, '/lab/pull', 'POST')).toBe(refused)
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, '192.168.1.9']) {
      expect(await as(host, '/shop')).toBe(200)
    }
  })

  it('accepts lab forms only from its own page, also if a browser only sends Origin', async () => {
    const pull = async (headers: Record<string, string>): Promise<number> => {
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      const body = 'lever=none'
      return (await world.ask('/lab/pull', { key: null, body, headers: { ...form, ...headers } }))
        .status
    }
    const { port } = new URL(world.url)
    for (const origin of ['https://attacker.example', 'null', `http://127.0.0.2:${port}`]) {
      expect(await pull({ origin })).toBe(403)
      expect(await pull({ origin, 'sec-fetch-site': 'cross-site' })).toBe(403)
    }
    // Forms of our own page are accepted; 404 because the lever is unknown.
    expect(await pull({ origin: world.url })).toBe(404)
    expect(await pull({ origin: world.url, 'sec-fetch-site': 'same-origin' })).toBe(404)
    expect(await pull({})).toBe(404)
  })

  it('escapes all values in its pages', () => {
    const nasty = `<img src=x onerror="alert('1')">&`
    expect(String(html`<p title="${nasty}">${[html`<b>${nasty}</b>`]}</p>`)).toBe(
      '<p title="&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;"><b>&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;</b></p>',
    )
  })
})
