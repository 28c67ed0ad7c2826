import type { RouteAccess } from '../access.ts'
import type { App, HttpContext } from '../context.ts'
import { sendBytes } from '../contract/show.ts'
import { frontPage } from '../pages/front-page.ts'
import { pageHeaders } from '../refusal-page.ts'

const access: RouteAccess = { who: 'anyone' }

/** The start page at `/`. */
export function frontRoutes(app: App, { sandbox }: Pick<HttpContext, 'sandbox'>): void {
  const page = Buffer.from(String(frontPage({ sandbox })))
  app.get('/', { config: { access }, schema: { hide: true } }, async (_, reply) => {
    reply.headers(pageHeaders)
    return sendBytes(reply, pageHeaders['content-type'], page)
  })
}
