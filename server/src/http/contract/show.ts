import type { ServerResponse } from 'node:http'
import type { Payment } from '@settlewire/core/payment/payment'
import {
  envelope,
  type KnownAsset,
  type PaymentIntent,
  type ResourceContext,
  resource,
} from '@settlewire/core/wire/wire'
import { chainName } from '@settlewire/core/words/words'
import type { FastifyReply } from 'fastify'
import { checkoutTokenOf, clientSecretOf } from '../../credential.ts'
import type { Answer } from '../../engine/payment/once.ts'
import type { Principal } from '../../ports/access.ts'
import type { StoredEvent } from '../../ports/history.ts'
import type { Chains, HttpContext } from '../context.ts'

type Shown = Pick<HttpContext, 'chains' | 'secrets' | 'origin'>

/** The resource as this principal may see it: its merchant, or the one browser with its secret. */
export function show(
  payment: Payment,
  principal: Pick<Principal, 'kind'>,
  context: Shown,
): PaymentIntent {
  const { chains, secrets } = context
  const merchant: ResourceContext['merchant'] =
    principal.kind === 'client'
      ? null
      : {
          checkoutUrl: checkoutUrl(payment.id, context),
          clientSecret: clientSecretOf(secrets.clientSecret, payment.id),
        }
  return resource(payment, {
    policy: chains.policy,
    visibility: chains.visibility(payment),
    formatAddress: (chain, address) => chains.kinds.printAddress(chain, address),
    paymentUri: (accept, units) => chains.kinds.paymentUri(accept, units),
    explorerUrl: (chain, txHash) => chains.explorerUrl(chain, txHash),
    knownAsset: (chain, token) => knownAsset(chains.facts, chain, token),
    merchant,
  })
}

/** What people call a chain. */
export const displayNameOf = (facts: Chains['facts'], chain: string): string =>
  facts.find(({ name }) => name === chain)?.displayName ?? chainName(chain)

/** What moved, also where it is not accepted: a bridged twin, the coin of another chain. */
function knownAsset(
  facts: Chains['facts'],
  chain: string,
  token: string | null,
): KnownAsset | null {
  const known = facts.find(({ name }) => name === chain)
  if (known === undefined) return null
  const { chainId, native, tokens } = known
  const of = token === null ? native : tokens.find(({ address }) => address === token)
  return of === undefined ? null : { asset: of.symbol, chainId, decimals: of.decimals }
}

/** Where a payer is sent. */
export const checkoutUrl = (
  paymentId: string,
  { secrets, origin }: Omit<Shown, 'chains'>,
): string => `${origin()}/pay/${paymentId}/${checkoutTokenOf(secrets.checkout, paymentId)}`

/**
 * A list of events as JSON text: the stored bytes of each `data` go out as they are, because the
 * same event must read the same on every transport.
 */
export const showEvents = (events: readonly StoredEvent[], hasMore: boolean): string =>
  listOf(events.map(showEvent), hasMore)

/** The same for a merchant's feed: each event with its place in it. */
export const showFeed = (events: readonly StoredEvent[], hasMore: boolean): string =>
  listOf(
    events.map((stored) => `{"position":${stored.position},${showEvent(stored).slice(1)}`),
    hasMore,
  )

const showEvent = (stored: StoredEvent): string => envelope(stored)

const listOf = (items: readonly string[], hasMore: boolean): string =>
  `{"object":"list","data":[${items.join(',')}],"hasMore":${hasMore}}`

/** The answer to a command: the first one, or the same again, which a header tells. */
export function sendAnswer(
  reply: Sendable,
  { status, replayed }: Pick<Answer, 'status' | 'replayed'>,
  shown: object,
): FastifyReply {
  if (replayed) reply.header('idempotency-replayed', 'true')
  return sendJson(reply, shown, status)
}

/** Any reply of the framework: its many type parameters have no bearing on what is sent. */
export interface Sendable {
  readonly raw: ServerResponse
  header(name: string, value: string): unknown
}

/**
 * Answers with JSON: text that is JSON already goes out as it is. What a route answers is held to
 * its schema by tests and not at each request, which would cost more than the answer.
 */
export const sendJson = (reply: Sendable, body: object | string, status = 200): FastifyReply =>
  (reply as FastifyReply) // see `Sendable`
    .code(status)
    .type('application/json')
    .send(typeof body === 'string' ? body : JSON.stringify(body))

/** Answers with bytes that were made once for all who ask. */
export const sendBytes = (reply: Sendable, type: string, bytes: Buffer): FastifyReply =>
  (reply as FastifyReply) // see `Sendable`
    .type(type)
    .send(bytes)
