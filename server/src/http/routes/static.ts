import { Failure } from '@settlewire/core/errors'
import { z } from 'zod'
import type { RouteAccess } from '../access.ts'
import { type Assets, encode } from '../assets.ts'
import type { App } from '../context.ts'

const access: RouteAccess = { who: 'anyone' }
const aYear = 'public, max-age=31536000, immutable'

/**
 * Scripts, styles and images of the pages. Files with a hash in their name are cached for a year.
 */
export function staticRoutes(app: App, assets: Assets): void {
  app.get(
    '/assets/*',
    { config: { access }, schema: { hide: true, params: z.object({ '*': z.string() }) } },
    async (request, reply) => {
      const asset = assets.get(`assets/${request.params['*']}`)
      if (asset === null) throw new Failure('not_found')
      reply.headers({
        'cache-control': asset.isHashed ? aYear : 'no-cache',
        etag: asset.etag,
        vary: 'accept-encoding',
      })
      if (request.headers['if-none-match'] === asset.etag) return reply.code(304).send()
      const { body, encoding } = encode(asset, String(request.headers['accept-encoding'] ?? ''))
      if (encoding !== null) reply.header('content-encoding', encoding)
      return reply.type(asset.type).send(body)
    },
  )
}
