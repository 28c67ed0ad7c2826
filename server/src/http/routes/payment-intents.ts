import { Failure } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment/payment'
import type { z } from 'zod'
import { type Asset, assetName } from '../../engine/payment/asset.ts'
import type { Principal } from '../../ports/access.ts'
import type { SubjectQuery } from '../../ports/history.ts'
import { paymentOf, principalOf } from '../access.ts'
import type { App, HttpContext } from '../context.ts'
import { eventList, paymentIntent, paymentIntentList } from '../contract/answer-schema.ts'
import {
  bodyProblems,
  json,
  keyProblems,
  problemsOf,
  queryProblems,
  securityOf,
  streamProblems,
} from '../contract/describe.ts'
import {
  cancelPaymentIntent,
  createPaymentIntent,
  eventsQuery,
  idempotencyHeaders,
  idParams,
  listQuery,
} from '../contract/request-schema.ts'
import { sendAnswer, sendJson, show, showEvents } from '../contract/show.ts'
import { idempotencyOf } from '../idempotency.ts'
import { goneOrClosing } from '../leave.ts'
import { routeAccess } from '../route-access.ts'
import { scopeOf } from '../scope.ts'
import { pollEvents } from '../stream/long-poll.ts'
import { isEnd, isWatchedOut } from '../stream/stream-end.ts'

const tags = ['Payment intents']

/** Covers the longest wait plus reading the history before and after it. */
const pollAnswerMsMax = 60_000
const termsProblems = [
  'invalid_amount',
  'unsupported_asset',
  'asset_disabled',
  'merchant_cannot_receive',
] as const

/** Payment intents: create, read, list, cancel, and their events. */
export function paymentIntentRoutes(app: App, context: HttpContext): void {
  create(app, context)
  list(app, context)
  get(app, context)
  cancel(app, context)
  events(app, context)
}

function create(app: App, context: HttpContext): void {
  const access = routeAccess['POST /v1/payment-intents']
  app.post(
    '/v1/payment-intents',
    {
      config: { access },
      schema: {
        tags,
        summary: 'Ask for a payment',
        security: securityOf(access),
        headers: idempotencyHeaders,
        body: createPaymentIntent,
        response: {
          201: json('Created.', paymentIntent),
          ...problemsOf(access, [...bodyProblems, ...keyProblems, ...termsProblems]),
        },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request)
      const idempotency = idempotencyOf(request)
      const { accept = everyAsset(request.body.currency, principal, context), ...body } =
        request.body
      const terms = { ...body, accept }
      const answer = await context.payments.create(scopeOf(principal), terms, idempotency)
      reply.header('location', `/v1/payment-intents/${answer.payment.id}`)
      return sendAnswer(reply, answer, show(answer.payment, principal, context))
    },
  )
}

/**
 * The default of `accept`: all available assets of the currency. If none is available now, all
 * configured ones, so that the refusal says why each is disabled.
 */
function everyAsset(currency: string, { livemode }: Principal, { chains }: HttpContext): string[] {
  const pays = (asset: Asset): boolean => asset.livemode === livemode && asset.currency === currency
  const offered = chains.assets.offered().filter(pays)
  return (offered.length > 0 ? offered : chains.assets.all.filter(pays)).map(assetName)
}

function list(app: App, context: HttpContext): void {
  const access = routeAccess['GET /v1/payment-intents']
  app.get(
    '/v1/payment-intents',
    {
      config: { access },
      schema: {
        tags,
        summary: 'List payments, or find them',
        security: securityOf(access),
        querystring: listQuery,
        response: {
          200: json('Newest first.', paymentIntentList),
          ...problemsOf(access, queryProblems),
        },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request)
      const { payments, unreadable, next } = await context.payments.list(
        scopeOf(principal),
        queryOf(request.query, context),
      )
      const data = payments.map((payment) => show(payment, principal, context))
      return sendJson(reply, {
        ...{ object: 'list', data, nextCursor: next },
        ...(unreadable.length > 0 && { unreadable }),
      })
    },
  )
}

/** Hashes and addresses are searched in each form in which a kind of chain stores them. */
function queryOf(
  { txHash, address, ...plain }: z.output<typeof listQuery>,
  { chains }: HttpContext,
): Omit<SubjectQuery, 'merchantId' | 'livemode'> {
  const parse = chains.kinds.parse.bind(chains.kinds)
  return {
    // Absent and undefined mean the same in a query.
    ...(plain as Omit<SubjectQuery, 'merchantId' | 'livemode'>),
    ...(txHash !== undefined && { txHash: parse('transactions', txHash, '/txHash') }),
    ...(address !== undefined && { address: parse('addresses', address, '/address') }),
  }
}

function get(app: App, context: HttpContext): void {
  const access = routeAccess['GET /v1/payment-intents/:id']
  app.get(
    '/v1/payment-intents/:id',
    {
      config: { access, crossOrigin: true },
      schema: {
        tags,
        summary: 'Read a payment',
        security: securityOf(access),
        params: idParams,
        response: { 200: json('As it stands now.', paymentIntent), ...problemsOf(access) },
      },
    },
    async (request, reply) =>
      sendJson(reply, show(paymentOf(request), principalOf(request), context)),
  )
}

function cancel(app: App, context: HttpContext): void {
  const access = routeAccess['POST /v1/payment-intents/:id/cancel']
  app.post(
    '/v1/payment-intents/:id/cancel',
    {
      config: { access },
      schema: {
        tags,
        summary: 'Cancel a payment for which no money was detected',
        security: securityOf(access),
        params: idParams,
        headers: idempotencyHeaders,
        body: cancelPaymentIntent,
        response: {
          200: json('Cancelled.', paymentIntent),
          ...problemsOf(access, [...bodyProblems, ...keyProblems, 'not_cancellable']),
        },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request)
      const reason = request.body.reason ?? 'merchant_request'
      const cancellation = { paymentId: paymentOf(request).id, reason }
      const key = idempotencyOf(request)
      const answer = await context.payments.cancel(scopeOf(principal), cancellation, key)
      return sendAnswer(reply, answer, show(answer.payment, principal, context))
    },
  )
}

function events(app: App, context: HttpContext): void {
  const access = routeAccess['GET /v1/payment-intents/:id/events']
  app.get(
    '/v1/payment-intents/:id/events',
    {
      config: { access, crossOrigin: true, answerMsMax: pollAnswerMsMax },
      schema: {
        tags,
        summary: "A payment's history",
        description:
          'Events with a sequence above `after`. With `wait`, an empty answer is delayed until there is an event or the seconds are over. With `until=final` it is not delayed once the payment has reached that end.',
        security: securityOf(access),
        params: idParams,
        querystring: eventsQuery,
        response: {
          200: json('Oldest first.', eventList),
          ...problemsOf(access, [...queryProblems, ...streamProblems]),
        },
      },
    },
    async (request, reply) => {
      const { after, limit, wait, until } = request.query
      const payment = paymentOf(request)
      const paymentId = payment.id
      // One more than requested, to know whether there are more.
      let found = await context.store.read(paymentId, after, limit + 1)
      const mayMove = until === undefined || !isAtLast(payment, context.clock.now())
      if (found.length === 0 && wait > 0 && mayMove) {
        const { merchantId } = payment
        const owner = { paymentId, merchantId, address: context.clientOf(request.raw) }
        context.streamLimits.enter(owner)
        const held = context.keyWatch.holdWait(principalOf(request))
        const gone = goneOrClosing(reply.raw, context.closing)
        found = await pollEvents(
          { paymentId, after, limit: limit + 1, waitMs: wait * 1_000 },
          context,
          AbortSignal.any([gone, held.signal]),
        ).finally(() => {
          held.release()
          context.streamLimits.leave(owner)
        })
        const refusal = held.refusal()
        if (refusal !== null) throw new Failure(refusal)
      }
      return sendJson(reply, showEvents(found.slice(0, limit), found.length > limit))
    },
  )
}

/** Whether a reader with `until=final` can expect no more events. */
const isAtLast = (payment: Payment, now: Instant): boolean =>
  isEnd(payment, 'final') ||
  isWatchedOut(payment, { until: 'final', monitorUntil: payment.terms.monitorUntil }, now)
