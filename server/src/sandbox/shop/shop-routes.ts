import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Html } from '../../html.ts'
import type { Clock } from '../../ports/clock.ts'
import { labRoutes } from '../lab/lab-routes.ts'
import { MerchantApi } from './merchant-api.ts'
import { isOwnHost } from './own-host.ts'
import { orderPage, shelfPage } from './pages.ts'
import { productOf } from './products.ts'

const orderForm = /^order-[0-9a-z]{12}$/
const currency = 'USDC'

/**
 * The demo shop: like a merchant's own site, with a server that has the secret key and uses the
 * public API over HTTP. It stores nothing itself; orders are found by reference.
 */
export const shopRoutes = (options: {
  readonly secretKey: () => string
  readonly clock: Clock
  /** The folder of tokens.css and base.css. */
  readonly styles: string
  /** The origin under which browsers reach this installation. */
  readonly publicUrl: (port: number) => string
}): ((app: FastifyInstance) => void) => {
  const { secretKey, clock, publicUrl } = options
  const sheet = [join(options.styles, 'tokens.css'), join(options.styles, 'base.css')]
    .concat(join(import.meta.dirname, 'shop.css'), join(import.meta.dirname, '../lab/lab.css'))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
  return (app) => {
    const origin = (): string => publicUrl(addressOf(app).port)
    const api = new MerchantApi(() => ownUrl(addressOf(app)), secretKey)
    const send = (reply: FastifyReply, page: Html): FastifyReply =>
      reply
        .header('content-security-policy', policyFor(origin()))
        .type('text/html; charset=utf-8')
        .send(page.toString())
    takeForms(app)
    app.addHook('onRequest', async (request) => {
      if (isOwnHost(request.headers.host, origin())) {
        // Where the error pages of the shop and of its lab lead back to.
        request.shopUrl = '/shop'
        return
      }
      const detail = `The shop is at ${origin()}. Set PUBLIC_URL if it has another address.`
      throw new Failure('forbidden', detail)
    })
    app.get('/shop', visible, async (_, reply) => send(reply, shelfPage()))
    app.get('/shop/style.css', visible, async (_, reply) =>
      reply.header('cache-control', 'no-cache').type('text/css; charset=utf-8').send(sheet),
    )
    app.post('/shop/orders', visible, async (request, reply) => {
      const product = productOf(productIn(request.body))
      if (product === null) throw new Failure('not_found', 'Unknown product.')
      const reference = `order-${Buffer.from(clock.random(6)).toString('hex')}`
      const payment = await api.create(reference, {
        amount: product.price,
        currency,
        reference,
        metadata: { product: product.id },
        redirectUrl: `${origin()}/shop/orders/${reference}`,
      })
      return reply.redirect(payment.checkoutUrl ?? '/shop', 303)
    })
    app.get<{ Params: { reference: string } }>(
      '/shop/orders/:reference',
      visible,
      async (request, reply) => {
        const { reference } = request.params
        const payment = orderForm.test(reference) ? await api.find(reference) : null
        if (payment === null) throw new Failure('not_found', 'Unknown order.')
        return send(reply, orderPage(payment, clock.now()))
      },
    )
    labRoutes(app, { api, clock, origin })
  }
}

/**
 * Pages for people: errors are answered as a page, and the published contract omits these routes.
 */
const visible = { config: { page: true }, schema: { hide: true } }

/** Forms redirect to the checkout, whose origin may differ from the one that the browser used. */
const policyFor = (origin: string): string =>
  `default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self' ${origin}; base-uri 'none'; frame-ancestors 'none'`

function takeForms(app: FastifyInstance): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_, body, done) => done(null, new URLSearchParams(body.toString())),
  )
}

const productIn = (body: unknown): string | undefined =>
  body instanceof URLSearchParams ? (body.get('product') ?? undefined) : undefined

function addressOf(app: FastifyInstance): AddressInfo {
  // An object for a TCP server, and only called after it listens.
  return app.server.address() as AddressInfo
}

/** The URL by which this process reaches itself, without any proxies. */
function ownUrl({ address, family, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://localhost:${port}`
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${address}:${port}`
}
