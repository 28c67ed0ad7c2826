import { describeError, Failure } from '@settlewire/core/errors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../ports/log.ts'
import { failureOf, problemHeaders, problemOf } from './problem.ts'
import { refusalPage, wantsPage } from './refusal-page.ts'
import { routeOf } from './request-log.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The shop's `redirectUrl`: error pages link back to it. Null until the route has set it, and
     * on routes that never do.
     */
    shopUrl: string | null
  }
}

const noRoute = 'Unknown route. See /docs for all routes.'

/**
 * Answers every refusal and every bug with a problem document, or with a page (`refuse`). The
 * answer to a bug hides its cause.
 */
export function refuseWithProblems(app: FastifyInstance, log: Log): void {
  app.decorateRequest('shopUrl', null)
  app.setErrorHandler((error, request, reply) => {
    const failure = failureOf(error)
    report(failure, request, log)
    return refuse(reply, failure, request)
  })
  const routes = routeTable(app)
  app.setNotFoundHandler((request, reply) => {
    const methods = routes.methodsOf(request.url.split('?', 1)[0] ?? '')
    if (methods.length === 0) return refuse(reply, new Failure('not_found', noRoute), request)
    reply.header('allow', methods.join(', '))
    return refuse(reply, new Failure('method_not_allowed'), request)
  })
}

/** Answers an error of Fastify for which it runs no hook and no error handler. */
export function refuseFrameworkError(
  error: unknown,
  { request, reply, log }: { request: FastifyRequest; reply: FastifyReply; log: Log },
): void {
  const failure = failureOf(error)
  report(failure, request, log)
  refuse(reply, failure, request)
}

/** Answers with a failure: as a page for browsers, as a problem document for programs. */
export function refuse(
  reply: FastifyReply,
  failure: Failure,
  request: FastifyRequest,
): FastifyReply {
  const own = request.routeOptions.config.page === true
  if (own || wantsPage(request)) {
    const about = { requestId: request.id, shopUrl: request.shopUrl ?? null, own }
    const page = refusalPage(failure, about)
    return reply.code(page.status).headers(page.headers).send(page.body)
  }
  const problem = problemOf(failure, request.id)
  return reply.code(problem.status).headers(problemHeaders(failure)).send(JSON.stringify(problem))
}

function report(failure: Failure, request: FastifyRequest, log: Log): void {
  const { code } = failure
  if (describeError(code).status < 500) return
  const line = { area: 'http', requestId: request.id, route: routeOf(request), code }
  if (code === 'internal')
    log.error({ ...line, error: failure.cause ?? failure }, 'a request failed')
  else log.warn({ ...line, error: failure }, 'a request was refused')
}

/** Which methods a path supports, to tell a wrong method (405) from a wrong path (404). */
function routeTable(app: FastifyInstance): { methodsOf(path: string): string[] } {
  const routes: { readonly form: RegExp; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    const form = url
      .split('/')
      .map((part) => (part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : literal(part)))
      .join('/')
    routes.push({ form: new RegExp(`^${form}$`), methods: [method].flat() })
  })
  return {
    methodsOf: (path) => [
      ...new Set(routes.filter(({ form }) => form.test(path)).flatMap(({ methods }) => methods)),
    ],
  }
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
