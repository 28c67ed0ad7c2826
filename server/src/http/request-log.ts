import { Failure } from '@settlewire/core/errors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'

/** Asked for so often that their lines would hide the others. */
const quietRoutes: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics', '/assets/*'])

/**
 * One line for each answer: the route's pattern and never the address, which may hold a token; no
 * headers, no bodies. Streams are not requests with an end; they are counted instead.
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

/** The pattern of the route, or a word for addresses that lead nowhere. */
export const routeOf = (request: FastifyRequest): string =>
  request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown')

/** A route answers in this time, or says that it did not. Those that wait for news say how long. */
const answerMsMaxDefault = 30_000

/** Ends requests that hang. Fastify's own time-out loses its timer once a body has been read. */
export function limitAnswers(app: FastifyInstance, clock: Clock): void {
  app.addHook('onRequest', async (request, reply) => {
    const { answerMsMax = answerMsMaxDefault } = request.routeOptions.config
    if (answerMsMax === null) return
    const stop = clock.after(answerMsMax, () => {
      // A long answer that is on its way has begun in time: how fast it is taken is the edge's affair.
      if (!reply.sent && !reply.raw.headersSent) reply.send(new Failure('overloaded', tooLate))
    })
    reply.raw.once('close', stop)
  })
}

const tooLate =
  'No answer was found in time. What was asked for may still happen: repeat it with the same Idempotency-Key.'
