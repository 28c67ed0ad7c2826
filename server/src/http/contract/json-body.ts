import type { Readable } from 'node:stream'
import { Failure } from '@settlewire/core/errors'
import type { FastifyInstance } from 'fastify'

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Accepts bodies of JSON in UTF-8 only. An empty body counts as no body, whatever its type and
 * however it is sent: by length, in chunks, without a type. `__proto__` and `constructor` keys are
 * refused.
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
  // A malformed content type counts as a type other than JSON: allowed with an empty body.
  app.addHook('onRequest', async ({ raw: { headers } }) => {
    const type = headers['content-type']
    if (type !== undefined && !typeForm.test(type))
      headers['content-type'] = 'application/octet-stream'
  })
  app.addContentTypeParser('*', (request, body, done) => {
    takeNothing(request.headers['content-length'], body, done)
  })
}

const typeForm = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/

/** Accepts a body of another type, or without a type, only if it is empty. */
function takeNothing(
  length: string | undefined,
  body: Readable,
  done: (error: Error | null, value?: unknown) => void,
): void {
  const refuse = (): void => done(new Failure('unsupported_media_type'))
  if (length !== undefined && Number(length) > 0) {
    refuse()
    return
  }
  const settle = once((isEmpty: boolean) => (isEmpty ? done(null, undefined) : refuse()))
  body.once('data', () => settle(false))
  body.once('end', () => settle(true))
  body.once('error', () => settle(false))
}

/** Forwards the first call only. */
function once<T>(call: (value: T) => void): (value: T) => void {
  let isDone = false
  return (value) => {
    if (isDone) return
    isDone = true
    call(value)
  }
}
