import type { RouteAccess } from '../access.ts'
import type { App } from '../context.ts'
import { crossOriginPreflight } from '../headers.ts'

const access: RouteAccess = { who: 'anyone' }

const payment = '/v1/payment-intents/:id'

/** Routes that pages of other origins may use, with a client secret or a publishable key. */
const routes = [
  [payment, 'GET'],
  [`${payment}/events`, 'GET'],
  [`${payment}/stream`, 'GET'],
  [`${payment}/policy`, 'GET'],
  [`${payment}/claims`, 'POST'],
  ['/v1/chains', 'GET'],
] as const

/** Answers the preflight requests that browsers send for pages of other origins. */
export function preflightRoutes(app: App): void {
  for (const [route, method] of routes) {
    app.options(route, { config: { access }, schema: { hide: true } }, async (_, reply) =>
      reply.code(204).headers(crossOriginPreflight(method)).send(),
    )
  }
}
