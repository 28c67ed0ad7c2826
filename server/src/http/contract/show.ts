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
import type { PaymentAnswer } from '../../engine/payment/once.ts'
import type { Principal } from '../../ports/access.ts'
import type { StoredEvent } from '../../ports/history.ts'
import type { Chains, HttpContext } from '../context.ts'

type ShowContext = Pick<HttpContext, 'chains' | 'secrets' | 'origin'>

/** The payment as this principal may see it: the merchant, or a browser with the client secret. */
export function show(
  payment: Payment,
  principal: Pick<Principal, 'kind'>,
  context: ShowContext,
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

/** The name of a chain for people. */
export const displayNameOf = (facts: Chains['facts'], chain: string): string =>
  facts.find(({ name }) => name === chain)?.displayName ?? chainName(chain)

/** The asset of a transfer, even one that is not accepted: a bridged twin, another chain's coin. */
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

/** The URL of the checkout page, to which the merchant sends the payer. */
export const checkoutUrl = (
  paymentId: string,
  { secrets, origin }: Omit<ShowContext, 'chains'>,
): string => `${origin()}/pay/${paymentId}/${checkoutTokenOf(secrets.checkout, paymentId)}`

/**
 * A list of events as JSON text. It contains the stored bytes of each `data` unchanged, because an
 * event must have the same bytes on every transport.
 */
export const showEvents = (events: readonly StoredEvent[], hasMore: boolean): string =>
  listOf(events.map(showEvent), hasMore)

/** The same for a merchant's feed: each event with its position. */
export const showFeed = (events: readonly StoredEvent[], hasMore: boolean): string =>
  listOf(
    events.map((stored) => `{"position":${stored.position},${showEvent(stored).slice(1)}`),
    hasMore,
  )

const showEvent = (stored: StoredEvent): string => envelope(stored)

const listOf = (items: readonly string[], hasMore: boolean): string =>
  `{"object":"list","data":[${items.join(',')}],"hasMore":${hasMore}}`

/** Answers a command. The header `idempotency-replayed` marks a repeated answer. */
export function sendAnswer(
  reply: Sendable,
  { status, replayed }: Pick<PaymentAnswer, 'status' | 'replayed'>,
  shown: object,
): FastifyReply {
  if (replayed) reply.header('idempotency-replayed', 'true')
  return sendJson(reply, shown, status)
}

/** Any reply of Fastify, without its type parameters, which do not matter for sending. */
export interface Sendable {
  readonly raw: ServerResponse
  header(name: string, value: string): unknown
}

/**
 * Answers with JSON; a string is sent unchanged. Tests check answers against their schemas; a check
 * at each request would cost more than the answer.
 */
export const sendJson = (reply: Sendable, body: object | string, status = 200): FastifyReply =>
  (reply as FastifyReply) // see `Sendable`
    .code(status)
    .type('application/json')
    .send(typeof body === 'string' ? body : JSON.stringify(body))

/** Answers with bytes that are computed once and shared by all requests. */
export const sendBytes = (reply: Sendable, type: string, bytes: Buffer): FastifyReply =>
  (reply as FastifyReply) // see `Sendable`
    .type(type)
    .send(bytes)
