import type { RouteAccess } from '../access.ts'
import type { App, HttpContext } from '../context.ts'
import { liveness, readiness } from '../contract/answer-schema.ts'
import { json, problemsOf, securityOf, text } from '../contract/describe.ts'
import { sendBytes, sendJson } from '../contract/show.ts'
import { alive } from '../edge/alive.ts'
import { KeptValue } from '../kept.ts'
import { Readiness } from '../readiness.ts'

const tags = ['Operation']
const access: RouteAccess = { who: 'anyone' }
const security = securityOf(access)

/** Metrics are computed once a second and shared by all requests. */
const expositionKeptMs = 1_000

/** For load balancers and Prometheus. */
export function healthRoutes(app: App, context: HttpContext): void {
  const { proveWrites, backplane, chains, metrics, closing } = context
  const ready = new Readiness(
    {
      // A process whose database is read-only must get no requests.
      store: proveWrites,
      backplane: (signal) => backplane.prove(signal).then(() => null),
    },
    context,
  )
  const exposition = new KeptValue({
    clock: context.clock,
    keepMs: expositionKeptMs,
    make: async () => Buffer.from(await metrics.text()),
  })
  app.get(
    '/healthz',
    {
      config: { access, whileClosing: true },
      schema: {
        ...{ tags, security, summary: 'Whether the process runs' },
        response: { 200: json('The process runs.', liveness), ...problemsOf(access) },
      },
    },
    // The edge answers real requests; this handler serves requests injected into Fastify.
    async (_, reply) => sendJson(reply, alive),
  )
  app.get(
    '/readyz',
    {
      config: { access, whileClosing: true },
      schema: {
        ...{ tags, security, summary: 'Whether the process should get requests' },
        response: {
          ...problemsOf(access),
          200: json('The process should get requests.', readiness),
          503: json('The process should not get requests: see `checks`.', readiness),
        },
      },
    },
    async (_, reply) => {
      const isClosing = closing.aborted
      const serving = { ok: !isClosing, reason: isClosing ? 'closing' : null }
      const checks = isClosing ? { serving } : { serving, ...(await ready.check()) }
      const isReady = Object.values(checks).every((check) => check.ok)
      const seen = chains.health().map(({ chain, visibility, reason, head }) => ({
        ...{ chain, visibility, reason, head },
      }))
      const status = isReady ? 'ready' : 'not_ready'
      return sendJson(reply, { status, checks, chains: seen }, isReady ? 200 : 503)
    },
  )
  app.get(
    '/metrics',
    {
      config: { access, whileClosing: true },
      schema: {
        ...{ tags, security, summary: 'Metrics for Prometheus' },
        description: 'No metric names a payment or a merchant. Computed at most once a second.',
        response: { 200: text('The Prometheus text format.', 'text/plain'), ...problemsOf(access) },
      },
    },
    async (_, reply) => sendBytes(reply, metrics.contentType, await exposition.get()),
  )
}
