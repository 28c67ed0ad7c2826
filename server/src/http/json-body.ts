import { Failure } from '@settlewire/core/errors'
import type { FastifyInstance } from 'fastify'

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Takes JSON in UTF-8 and nothing else. An empty body is no body, whatever its type says. Keys that
 * reach for prototypes are refused.
 */
export function takeJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      if (body.length === 0) return done(null, undefined)
      let text: string
      try {
        text = decoder.decode(body)
      } catch (cause) {
        return done(new Failure('malformed_body', 'The body is not UTF-8.', { cause }))
      }
      parse(request, text, (error, value) =>
        error
          ? done(new Failure('malformed_body', undefined, { cause: error }))
          : done(null, value),
      )
    },
  )
}
