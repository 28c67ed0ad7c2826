import { Failure } from '@settlewire/core/errors'
import { z } from 'zod'
import type { RouteAccess } from '../access.ts'
import type { App, HttpContext } from '../context.ts'
import { sendBytes } from '../contract/show.ts'
import { isGuide } from '../pages/guide-list.ts'
import { guidePage } from '../pages/guide-page.ts'
import { type Contract, referencePage } from '../pages/reference-page.ts'
import { pageHeaders } from '../refusal-page.ts'

const access: RouteAccess = { who: 'anyone' }
const config = { access }

/** The API reference and the guides as HTML pages. */
export function docsRoutes(app: App, { origin }: Pick<HttpContext, 'origin'>): void {
  /** Rendered pages by name: they only change with a new version of the program. */
  const made = new Map<string, Promise<Buffer>>()
  const page = (name: string, make: () => Promise<string>): Promise<Buffer> => {
    const known = made.get(name) ?? make().then((text) => Buffer.from(text))
    made.set(name, known)
    return known
  }
  // The OpenAPI document is made of our own routes, so it has the form of `Contract`.
  const reference = async (): Promise<string> =>
    String(referencePage(app.swagger() as unknown as Contract, origin()))
  for (const path of ['/docs', '/docs/']) {
    app.get(path, { config, schema: { hide: true } }, async (_, reply) => {
      reply.headers({ ...pageHeaders, 'cache-control': 'no-cache' })
      return sendBytes(reply, pageHeaders['content-type'], await page('', reference))
    })
  }
  app.get(
    '/docs/guides/:name',
    { config, schema: { hide: true, params: z.object({ name: z.string() }) } },
    async (request, reply) => {
      const { name } = request.params
      if (!isGuide(name)) throw new Failure('not_found', 'Unknown guide.')
      const text = async (): Promise<string> => String(await guidePage(name, origin()))
      reply.headers({ ...pageHeaders, 'cache-control': 'no-cache' })
      return sendBytes(reply, pageHeaders['content-type'], await page(name, text))
    },
  )
}
