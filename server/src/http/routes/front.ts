import type { Access } from '../access.ts'
import type { App, HttpContext } from '../context.ts'
import { sendBytes } from '../contract/show.ts'
import { frontPage } from '../pages/front-page.ts'
import { pageHeaders } from '../refusal-page.ts'

const access: Access = { who: 'anyone' }

/** The page at `/`, with or without a sandbox: the way to everything else. */
export function frontRoutes(app: App, { sandbox }: Pick<HttpContext, 'sandbox'>): void {
  const page = Buffer.from(String(frontPage({ sandbox })))
  app.get('/', { config: { access }, schema: { hide: true } }, async (_, reply) => {
    reply.headers(pageHeaders)
    return sendBytes(reply, pageHeaders['content-type'], page)
  })
}
