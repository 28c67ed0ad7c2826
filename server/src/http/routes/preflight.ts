import type { Access } from '../access.ts'
import type { App } from '../context.ts'
import { crossOriginPreflight } from '../headers.ts'

const access: Access = { who: 'anyone' }

/** What a page of another origin may ask for with a client secret. */
const routes = [
  ['', 'GET'],
  ['/events', 'GET'],
  ['/stream', 'GET'],
  ['/policy', 'GET'],
  ['/claims', 'POST'],
] as const

/** Browsers ask here before they read a payment from a page of another origin. */
export function preflightRoutes(app: App): void {
  for (const [route, method] of routes) {
    app.options(
      `/v1/payment-intents/:id${route}`,
      { config: { access }, schema: { hide: true } },
      async (_, reply) => reply.code(204).headers(crossOriginPreflight(method)).send(),
    )
  }
}
