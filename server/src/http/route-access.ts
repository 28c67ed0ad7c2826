import { assert } from '@settlewire/core/assert'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { RouteAccess } from './access.ts'

/**
 * Who may call each route of the API, and with which scope. The server does not start with a route
 * below /v1 that has no row here (sandbox routes declare their own). Printed to
 * docs/generated/scopes.md.
 */
export const routeAccess = {
  'POST /v1/payment-intents': { who: 'key', scope: 'payment_intents:write' },
  'GET /v1/payment-intents': { who: 'key', scope: 'payment_intents:read' },
  'GET /v1/payment-intents/:id': { who: 'owner_or_client', scope: 'payment_intents:read' },
  'GET /v1/payment-intents/:id/events': { who: 'owner_or_client', scope: 'payment_intents:read' },
  'GET /v1/payment-intents/:id/stream': { who: 'owner_or_client', scope: 'payment_intents:read' },
  'GET /v1/payment-intents/:id/policy': { who: 'owner_or_client', scope: 'payment_intents:read' },
  'POST /v1/payment-intents/:id/cancel': { who: 'owner', scope: 'payment_intents:write' },
  'POST /v1/payment-intents/:id/claims': { who: 'owner_or_client', scope: 'payment_intents:write' },
  'POST /v1/payment-intents/:id/resolve': { who: 'owner', scope: 'payment_intents:resolve' },
  'GET /v1/events': { who: 'key', scope: 'events:read' },
  'GET /v1/events/stream': { who: 'key', scope: 'events:read' },
  'GET /v1/chains': { who: 'key', scope: 'identity' },
} as const satisfies Readonly<Record<string, RouteAccess>>

/** Refuses to register a /v1 route that is not in `routeAccess`, or whose access differs from it. */
export function refuseUnlistedRoutes(app: FastifyInstance): void {
  app.addHook('onRoute', refuseUnlisted)
}

function refuseUnlisted({ method, url, config }: RouteOptions): void {
  if (!url.startsWith('/v1/') || url.startsWith('/v1/test/')) return
  const rows: Readonly<Record<string, RouteAccess>> = routeAccess
  for (const one of [method].flat()) {
    if (one === 'HEAD' || one === 'OPTIONS') continue
    const row = rows[`${one} ${url}`]
    const isListed = row !== undefined && row === config?.access
    const problem = 'is missing from route-access.ts, or its access differs from the row'
    assert(isListed, `${one} ${url} ${problem}`)
  }
}
