import { Failure } from '@settlewire/core/errors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'

/** Requested so often that their log lines would hide the others: logged at `debug`. */
const quietRoutes: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics', '/assets/*'])

/**
 * Logs one line for each answer of a route: the route's pattern and never the URL, which may hold a
 * token; no headers, no bodies. Streams are long-lived and therefore counted in metrics instead.
 */
export function logRequests(app: FastifyInstance, log: Log): void {
  app.addHook('onResponse', async (request, reply) => {
    const line = {
      requestId: request.id,
      method: request.method,
      route: routeOf(request),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
    }
    if (quietRoutes.has(line.route)) log.debug(line, 'request')
    else log.info(line, 'request')
  })
}

/** The pattern of the route, or `unknown` where no route matches. */
export const routeOf = (request: FastifyRequest): string =>
  request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown')

/**
 * After this time a request is refused as `overloaded`. Long-polls and streams set `answerMsMax`
 * themselves.
 */
const answerMsMaxDefault = 30_000

/** Ends requests that hang. Fastify's own timeout stops its timer once a body has been read. */
export function limitAnswers(app: FastifyInstance, clock: Clock): void {
  app.addHook('onRequest', async (request, reply) => {
    const { answerMsMax = answerMsMaxDefault } = request.routeOptions.config
    if (answerMsMax === null) return
    const stop = clock.after(answerMsMax, () => {
      // An answer that is being sent was made in time. The edge limits how slowly a client may
      // read.
      if (!reply.sent && !reply.raw.headersSent) reply.send(new Failure('overloaded', tooLate))
    })
    reply.raw.once('close', stop)
  })
}

const tooLate =
  'The request took too long. It may still take effect: repeat it with the same Idempotency-Key.'
