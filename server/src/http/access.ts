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
  /** A key with this scope; `identity`: any valid key. */
  | { readonly who: 'key'; readonly scope: KeyScope | 'identity' }
  /** A key with this scope whose merchant and mode have the payment named by `:id`. */
  | { readonly who: 'owner'; readonly scope: KeyScope }
  /** The same, or the client secret or cookie of this payment. */
  | { readonly who: 'owner_or_client'; readonly scope: KeyScope }

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess
    /** Pages of other origins may read the answer. */
    crossOrigin?: boolean
    /** How long an answer may take; null for streams, which have no time limit. By default 30 s. */
    answerMsMax?: number | null
    /** Payers open it, maybe in a popup of the shop: errors are answered as an HTML page. */
    page?: boolean
    /** Answered also while the server closes. */
    whileClosing?: boolean
  }
  interface FastifyRequest {
    /** What the credentials allow; null for routes without credentials. */
    granted: { readonly principal: Principal; readonly payment: Payment | null } | null
    /** When the request came in. */
    since: Instant
  }
}

/**
 * Checks credentials before the rest of a request: the body of an unauthenticated request is not
 * read, and it gets 401 without any hint at what else is wrong with it.
 */
export function checkAccess(app: FastifyInstance, gate: Gate): void {
  app.decorateRequest('granted', null)
  app.addHook('onRequest', async (request, reply) => {
    const { access, crossOrigin } = request.routeOptions.config
    if (crossOrigin) reply.headers(crossOriginReads)
    if (access !== undefined) request.granted = await authorize(gate, access, request)
  })
}

async function authorize(
  gate: Gate,
  access: RouteAccess,
  request: FastifyRequest,
): Promise<FastifyRequest['granted']> {
  if (access.who === 'anyone') return null
  const { scope } = access
  if (access.who === 'key') {
    return { principal: await gate.authenticate(request, { scope }), payment: null }
  }
  const params = request.params as { id?: string } // the next line checks it
  assert(params.id !== undefined, 'a route about a payment has `:id` in its path')
  const allowsClient = access.who === 'owner_or_client'
  return gate.open(request, { scope, paymentId: params.id, allowsClient })
}

/** The authenticated caller. Only for routes whose access is not `anyone`. */
export function principalOf(request: FastifyRequest): Principal {
  assert(request.granted !== null, 'the route requires credentials')
  return request.granted.principal
}

/** The payment that the path names, as it was when the credentials were checked. */
export function paymentOf(request: FastifyRequest): Payment {
  const payment = request.granted?.payment ?? null
  assert(payment !== null, 'the route is about a payment')
  return payment
}
