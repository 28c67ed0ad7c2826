import type { Access } from '../access.ts'
import type { App } from '../context.ts'
import { crossOriginPreflight } from '../headers.ts'

const access: Access = { who: 'anyone' }

const payment = '/v1/payment-intents/:id'

/** What a page of another origin may ask for: of a payment with its client secret, chains with a publishable key. */
const routes = [
  [payment, 'GET'],
  [`${payment}/events`, 'GET'],
  [`${payment}/stream`, 'GET'],
  [`${payment}/policy`, 'GET'],
  [`${payment}/claims`, 'POST'],
  ['/v1/chains', 'GET'],
] as const

/** Browsers ask here before they read something from a page of another origin. */
export function preflightRoutes(app: App): void {
  for (const [route, method] of routes) {
    app.options(route, { config: { access }, schema: { hide: true } }, async (_, reply) =>
      reply.code(204).headers(crossOriginPreflight(method)).send(),
    )
  }
}
