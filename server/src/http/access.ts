import { assert } from '@settlewire/core/assert'
import type { Instant } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment/payment'
import type { KeyScope } from '@settlewire/core/scope'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Gate, Principal } from '../ports/access.ts'
import { crossOriginReads } from './headers.ts'

/** Who may call a route, as the route says it beside its address. Every route of ours says it. */
export type Access =
  /** Anybody. */
  | { readonly who: 'anyone' }
  /** A key with this scope. */
  | { readonly who: 'key'; readonly scope: KeyScope | 'identity' }
  /** A key with this scope that owns the payment named by `:id`. */
  | { readonly who: 'owner'; readonly scope: KeyScope }
  /** The same, or the holder of this payment's client secret or cookie. */
  | { readonly who: 'owner_or_client'; readonly scope: KeyScope }

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** Pages of other origins may read the answer. */
    crossOrigin?: boolean
    /** How long an answer may take; null for streams, which have no end of their own. */
    answerMsMax?: number | null
    /** Payers see it, maybe in a popup of the shop: what goes wrong is told as a page. */
    page?: boolean
    /** Answered until the very end. */
    whileClosing?: boolean
  }
  interface FastifyRequest {
    asked: { readonly principal: Principal; readonly payment: Payment | null } | null
    /** When it came. */
    since: Instant
  }
}

/**
 * Checks who asks before anything else is looked at: the body of a stranger is not even read, and
 * 401 comes before any hint at what would be wrong with the request.
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
  access: Access,
  request: FastifyRequest,
): Promise<FastifyRequest['asked']> {
  if (access.who === 'anyone') return null
  const { scope } = access
  if (access.who === 'key') {
    return { principal: await gate.authenticate(request, { scope }), payment: null }
  }
  const params = request.params as { id?: string } // routes about a payment have `:id` in their path
  assert(params.id !== undefined, 'a route about a payment names it in its path')
  const client = access.who === 'owner_or_client'
  return gate.open(request, { scope, paymentId: params.id, client })
}

/** Who asks. Only on routes that are not for anyone. */
export function principalOf(request: FastifyRequest): Principal {
  assert(request.asked !== null, 'the route checks who asks')
  return request.asked.principal
}

/** The payment that is asked about, as it stood when the request came. */
export function paymentOf(request: FastifyRequest): Payment {
  const payment = request.asked?.payment ?? null
  assert(payment !== null, 'the route is about a payment')
  return payment
}
