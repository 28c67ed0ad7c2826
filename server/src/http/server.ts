import { setMaxListeners } from 'node:events'
import type { AddressInfo } from 'node:net'
import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import { makeId } from '@settlewire/core/id'
import { fastify } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { sightOf } from '../engine/watch/sight.ts'
import { checkAccess } from './access.ts'
import { Assets } from './assets.ts'
import { Auth } from './auth.ts'
import type { App, HttpContext, HttpDeps } from './context.ts'
import { takeJsonOnly } from './contract/json-body.ts'
import { publishContract } from './contract/openapi.ts'
import { validateWithZod } from './contract/validate.ts'
import { Edge } from './edge/edge.ts'
import { openerPolicyOfPages, securityHeaders } from './headers.ts'
import { KeyUses } from './key-uses.ts'
import { KeyWatch } from './key-watch.ts'
import { refuseFrameworkError, refuseWithProblems } from './refuse.ts'
import { limitAnswers, logRequests } from './request-log.ts'
import { refuseUnlistedRoutes } from './route-access.ts'
import { chainRoutes } from './routes/chains.ts'
import { checkoutRoutes } from './routes/checkout.ts'
import { claimRoutes } from './routes/claims.ts'
import { docsRoutes } from './routes/docs.ts'
import { eventRoutes } from './routes/events.ts'
import { feedStreamRoutes } from './routes/feed-stream.ts'
import { frontRoutes } from './routes/front.ts'
import { healthRoutes } from './routes/health.ts'
import { paymentIntentRoutes } from './routes/payment-intents.ts'
import { policyRoutes } from './routes/policy.ts'
import { preflightRoutes } from './routes/preflight.ts'
import { resolveRoutes } from './routes/resolve.ts'
import { staticRoutes } from './routes/static.ts'
import { streamRoutes } from './routes/stream.ts'
import { Sse } from './stream/sse.ts'
import { takeSocket } from './stream/sse-socket.ts'
import { StreamLimits } from './stream/stream-limits.ts'

const version = '0.1.0'
const bodyBytesMax = 64 * 1024
const paramCharactersMax = 256

/** The server, listening or not. */
export interface HttpServer {
  readonly fastify: App
  /** Resolves with the port and URL on which it listens. */
  listen(): Promise<{ readonly port: number; readonly url: string }>
  /**
   * Refuses new requests, lets running ones finish for up to `shutdownMs`, ends streams. Resolves
   * when all are closed.
   */
  close(): Promise<void>
}

/** Builds the server with all its routes. It does not listen yet. */
export async function createServer(deps: HttpDeps): Promise<HttpServer> {
  const closing = new AbortController()
  // Every long-poll adds a listener: no warning about their number.
  setMaxListeners(0, closing.signal)
  const { app, edge } = createApp(deps, () => closing.signal.aborted)
  const origin = (): string => deps.publicUrl(portOf(app) ?? deps.port)
  const keyUses = new KeyUses(deps)
  const keyWatch = new KeyWatch(deps)
  const streamLimits = new StreamLimits(deps.edge, deps.metrics)
  const context: HttpContext = {
    ...deps,
    gate: new Auth({ ...deps, ...deps.secrets, origin, uses: keyUses }),
    keyWatch,
    streamLimits,
    clientOf: (request) => edge.clientOf(request),
    closing: closing.signal,
    origin,
  }
  addHooks(app, context)
  await publishContract(app, version)
  const assets = await Assets.load(deps.webRoot)
  paymentIntentRoutes(app, context)
  eventRoutes(app, context)
  claimRoutes(app, context)
  resolveRoutes(app, context)
  policyRoutes(app, context)
  chainRoutes(app, context)
  const sse = openSse(deps, edge, streamLimits)
  streamRoutes(app, context, sse)
  feedStreamRoutes(app, context, sse)
  healthRoutes(app, context)
  frontRoutes(app, context)
  docsRoutes(app, context)
  checkoutRoutes(app, context, assets)
  staticRoutes(app, assets)
  preflightRoutes(app)
  for (const plugin of deps.plugins ?? []) {
    await app.register(async (instance) => plugin(instance, context.gate))
  }
  await app.ready()
  return new RunningServer(app, context, { closing, sse, edge, keyUses, keyWatch })
}

function createApp(deps: HttpDeps, isClosing: () => boolean): { app: App; edge: Edge } {
  const { clock, metrics, log, publicUrl, port } = deps
  const requestId = (): string => makeId('req', clock.now(), clock.random(10))
  const headers = (): Readonly<Record<string, string>> =>
    securityHeaders(publicUrl(port).startsWith('https:'))
  let edge: Edge | null = null
  const app = fastify({
    genReqId: requestId,
    bodyLimit: bodyBytesMax,
    serverFactory: (answer) => {
      const needs = { clock, metrics, log, requestId, headers, isClosing, limits: deps.edge }
      edge = new Edge(needs, answer)
      return edge.server
    },
    routerOptions: { maxParamLength: paramCharactersMax },
    // Fastify's own 503 is not a problem document: a hook below answers instead.
    return503OnClosing: false,
    // Fastify calls this for an error before routing, such as a URL that cannot be decoded. No hook
    // has run, so the headers are set here.
    frameworkErrors: (error, request, reply) => {
      reply.headers(headers()).header('request-id', request.id)
      refuseFrameworkError(error, { request, reply, log })
    },
  }).withTypeProvider<ZodTypeProvider>()
  assert(edge !== null, 'Fastify has called serverFactory')
  return { app, edge }
}

const openSse = (deps: HttpDeps, edge: Edge, streamLimits: StreamLimits): Sse =>
  new Sse({
    ...deps,
    onSight: (listener) => deps.chains.onSight(listener),
    sight: (chains) => sightOf(deps.chains.health(), chains, deps.clock.now()),
    bufferedBytesMax: deps.edge.streamUnreadBytesMax,
    left: (owner) => streamLimits.leave(owner),
    ageMs: deps.edge.streamAgeMs,
    returnMs: deps.edge.streamReturnMs,
    takeSocket: (response) => edge.handOver(response, () => takeSocket(response)),
  })

function addHooks(app: App, context: HttpContext): void {
  const { log, clock, closing } = context
  app.setValidatorCompiler(validateWithZod)
  app.setSerializerCompiler(() => JSON.stringify)
  takeJsonOnly(app)
  refuseWithProblems(app, log)
  logRequests(app, log)
  app.decorateRequest('since', 0)
  app.addHook('onRequest', async (request, reply) => {
    request.since = clock.now()
    reply.headers(securityHeaders(context.origin().startsWith('https:')))
    reply.header('request-id', request.id)
    if (request.routeOptions.config.page) {
      reply.header('cross-origin-opener-policy', openerPolicyOfPages)
    }
    if (closing.aborted && !request.routeOptions.config.whileClosing) {
      throw new Failure('shutting_down')
    }
  })
  app.addHook('onSend', async (_, reply) => {
    // A request that was running when the server began to close is the last on its connection.
    if (closing.aborted) reply.header('connection', 'close')
  })
  limitAnswers(app, clock)
  checkAccess(app, context.gate)
  refuseUnlistedRoutes(app)
}

/** What must be closed with the server. */
interface RunningEnds {
  readonly closing: AbortController
  readonly sse: Sse
  readonly edge: Edge
  readonly keyUses: KeyUses
  readonly keyWatch: KeyWatch
}

class RunningServer implements HttpServer {
  readonly fastify: App
  readonly #context: HttpContext
  readonly #ends: RunningEnds
  #closed: Promise<void> | null = null

  constructor(app: App, context: HttpContext, ends: RunningEnds) {
    this.fastify = app
    this.#context = context
    this.#ends = ends
  }

  async listen(): Promise<{ port: number; url: string }> {
    const { host, port, origin } = this.#context
    try {
      await this.fastify.listen({ host, port })
    } catch (error) {
      throw cannotListen(error, { host, port })
    }
    return { port: portOf(this.fastify) ?? port, url: origin() }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const { clock, shutdownMs, log } = this.#context
    const { closing, sse, edge, keyUses, keyWatch } = this.#ends
    closing.abort()
    const stop = clock.after(shutdownMs, () => {
      log.warn({ area: 'http' }, 'closed requests that did not finish in time')
      this.fastify.server.closeAllConnections()
    })
    // In parallel: Node's close also waits for the sockets that streams have taken over.
    const closed = Promise.all([this.fastify.close(), sse.close()])
    edge.closeIdle()
    await closed
    stop()
    await Promise.all([keyWatch.close(), keyUses.close()])
  }
}

/** Why the server cannot listen, by the error code of Node, and which setting to change. */
const listenProblems: Readonly<Record<string, string>> = {
  EACCES: 'this user lacks the permission, so set PORT above 1023',
  EADDRNOTAVAIL: 'this machine does not have that address, so set HOST to one that it has',
}

function cannotListen(error: unknown, { host, port }: { host: string; port: number }): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'EADDRINUSE') {
    return new Failure('port_in_use', `Another program listens on ${host}:${port}.`)
  }
  const problem = listenProblems[code]
  if (problem === undefined) return error
  return new Failure('invalid_config', `Cannot listen on ${host}:${port}: ${problem}.`)
}

function portOf(app: App): number | null {
  // The address of a TCP server is an object; null before it listens. We never listen on pipes.
  const address = app.server.address() as AddressInfo | null
  return address?.port ?? null
}
