import { principalOf } from '../access.ts'
import type { App, HttpContext } from '../context.ts'
import {
  problemsOf,
  queryProblems,
  securityOf,
  streamProblems,
  text,
} from '../contract/describe.ts'
import { feedStreamQuery } from '../contract/request-schema.ts'
import { routeAccess } from '../route-access.ts'
import { serveStream } from '../stream/serve-stream.ts'
import type { Sse } from '../stream/sse.ts'
import { FeedSource } from '../stream/stream-source.ts'
import { lastEventHeaders } from './stream.ts'

const access = routeAccess['GET /v1/events/stream']

/** The live events of all payments of a merchant in one mode. It never ends by itself. */
export function feedStreamRoutes(app: App, context: HttpContext, sse: Sse): void {
  app.get(
    '/v1/events/stream',
    {
      config: { access, answerMsMax: null },
      schema: {
        tags: ['Events'],
        summary: "Follow all of a merchant's payments",
        description:
          'Server-sent events: `hello` with the position after which the stream begins, all events after `Last-Event-ID` or after the position `after`, then each event as it is committed; without either, new events only. Every event is one position. Heartbeats carry the last position.',
        security: securityOf(access),
        headers: lastEventHeaders,
        querystring: feedStreamQuery,
        response: {
          200: text('Events, in the order in which they were committed.', 'text/event-stream'),
          ...problemsOf(access, [...queryProblems, ...streamProblems]),
        },
      },
    },
    async (request, reply) => {
      const { merchantId, livemode } = principalOf(request)
      const feed = { merchantId, livemode }
      const [head] = await context.store.feedHeads([feed])
      await serveStream(
        { sse, context },
        { request, reply },
        {
          paymentId: null,
          merchantId,
          source: new FeedSource(feed, context.store),
          lastEventId: request.headers['last-event-id'] || request.query.lastEventId || null,
          after: request.query.after ?? null,
          head: { position: head?.position ?? 0, event: null },
        },
      )
    },
  )
}
