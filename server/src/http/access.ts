import { assert } from '@settlewire/core/assert'
import type { Instant } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment/payment'
import type { KeyScope } from '@settlewire/core/scope'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Gate, Principal } from '../ports/access.ts'
import { crossOriginReads } from './headers.ts'

/** Who may call a route. Every route declares it beside its path. */
export type RouteAccess =
  /** Any client, without credentials. */
  | { readonly who: 'anyone' }
  /** A key with this scope. */
  | { readonly who: 'key'; readonly scope: KeyScope | 'identity' }
  /** A key with this scope that owns the payment named by `:id`. */
  | { readonly who: 'owner'; readonly scope: KeyScope }
  /** Such a key, or the holder of this payment's client secret or cookie. */
  | { readonly who: 'owner_or_client'; readonly scope: KeyScope }

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess
    /** Pages of other origins may read the answer. */
    crossOrigin?: boolean
    /** How long an answer may take; null for streams, which have no time limit. */
    answerMsMax?: number | null
    /** Payers open it, maybe in a popup of the shop: errors are answered as an HTML page. */
    page?: boolean
    /** Answered also while the server closes. */
    whileClosing?: boolean
  }
  interface FastifyRequest {
    asked: { readonly principal: Principal; readonly payment: Payment | null } | null
    /** When the request came in. */
    since: Instant
  }
}

/**
 * Checks credentials before anything else: the body of an unauthenticated request is not read, and
 * it gets 401 without any hint at what else is wrong with it.
 */
export function checkAccess(app: FastifyInstance, gate: Gate): void {
  app.decorateRequest('asked', null)
  app.addHook('onRequest', async (request, reply) => {
    const { access, crossOrigin } = request.routeOptions.config
    if (crossOrigin) reply.headers(crossOriginReads)
    if (access !== undefined) request.asked = await ask(gate, access, request)
  })
}

async function ask(
  gate: Gate,
  access: RouteAccess,
  request: FastifyRequest,
): Promise<FastifyRequest['asked']> {
  if (access.who === 'anyone') return null
  const { scope } = access
  if (access.who === 'key') {
    return { principal: await gate.authenticate(request, { scope }), payment: null }
  }
  const params = request.params as { id?: string } // see the assertion
  assert(params.id !== undefined, 'a route about a payment has `:id` in its path')
  const client = access.who === 'owner_or_client'
  return gate.open(request, { scope, paymentId: params.id, client })
}

/** The authenticated caller. Only for routes whose access is not `anyone`. */
export function principalOf(request: FastifyRequest): Principal {
  assert(request.asked !== null, 'the route requires credentials')
  return request.asked.principal
}

/** The payment that the path names, as it stood when the request came. */
export function paymentOf(request: FastifyRequest): Payment {
  const payment = request.asked?.payment ?? null
  assert(payment !== null, 'the route is about a payment')
  return payment
}
