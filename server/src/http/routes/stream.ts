import { Failure } from '@settlewire/core/errors'
import { z } from 'zod'
import { chainsOf } from '../../engine/watch/sight.ts'
import { paymentOf } from '../access.ts'
import type { App, HttpContext } from '../context.ts'
import { eventId } from '../contract/answer-schema.ts'
import {
  problemsOf,
  queryProblems,
  securityOf,
  streamProblems,
  text,
} from '../contract/describe.ts'
import { idParams, streamQuery } from '../contract/request-schema.ts'
import { routeAccess } from '../route-access.ts'
import { serveStream } from '../stream/serve-stream.ts'
import type { Sse } from '../stream/sse.ts'
import { PaymentSource } from '../stream/stream-source.ts'

const access = routeAccess['GET /v1/payment-intents/:id/stream']

/** Loose on purpose: the contract answers an unknown or malformed event id with a `reset` event. */
export const lastEventHeaders = z.looseObject({
  'last-event-id': z
    .string()
    .optional()
    .meta({
      description: 'The id of the last event that the client has. Later events are sent first.',
      examples: eventId.meta()?.examples ?? [],
    }),
})

/**
 * The live events of one payment. A request that is refused gets a problem document and no stream.
 * A key that is refused later ends the stream with the event `refused`.
 */
export function streamRoutes(app: App, context: HttpContext, sse: Sse): void {
  app.get(
    '/v1/payment-intents/:id/stream',
    {
      config: { access, crossOrigin: true, answerMsMax: null },
      schema: {
        tags: ['Payment intents'],
        summary: 'Follow a payment',
        description:
          'Server-sent events: the latest event at once, or all events after `Last-Event-ID`, then each event as it is committed. Heartbeats carry the head sequence. The stream ends with the first event whose status is `succeeded`, `failed` or `cancelled`; with `until=final` it goes on after `succeeded` until `finality` is `final`.',
        security: securityOf(access),
        params: idParams,
        headers: lastEventHeaders,
        querystring: streamQuery,
        response: {
          200: text('Events, until the payment closes.', 'text/event-stream'),
          204: z.null().describe('The client already has the final event.'),
          ...problemsOf(access, [...queryProblems, ...streamProblems]),
        },
      },
    },
    async (request, reply) => {
      const payment = paymentOf(request)
      const head = await context.store.last(payment.id)
      if (head === null) throw new Failure('not_found')
      await serveStream(
        { sse, context },
        { request, reply },
        {
          paymentId: payment.id,
          merchantId: payment.merchantId,
          source: new PaymentSource(
            {
              id: payment.id,
              chains: chainsOf(payment),
              until: request.query.until ?? 'end',
              monitorUntil: payment.terms.monitorUntil,
            },
            context.store,
          ),
          lastEventId: request.headers['last-event-id'] || request.query.lastEventId || null,
          head: { position: head.sequence, event: head },
        },
      )
    },
  )
}
