import { principalOf } from '../access.ts'
import type { App, HttpContext } from '../context.ts'
import { feed } from '../contract/answer-schema.ts'
import { json, problemsOf, queryProblems, securityOf } from '../contract/describe.ts'
import { feedQuery } from '../contract/request-schema.ts'
import { sendJson, showFeed } from '../contract/show.ts'
import { routeAccess } from '../route-access.ts'

const access = routeAccess['GET /v1/events']

/** A merchant's feed: all events, with gapless positions in commit order. */
export function eventRoutes(app: App, context: HttpContext): void {
  app.get(
    '/v1/events',
    {
      config: { access },
      schema: {
        tags: ['Events'],
        summary: "All of a merchant's events",
        description:
          'Events of all payments of this mode, in the order they were committed. Positions count 1, 2, 3 … without a gap; `after` is the last position that the client has.',
        security: securityOf(access),
        querystring: feedQuery,
        response: { 200: json('Oldest first.', feed), ...problemsOf(access, queryProblems) },
      },
    },
    async (request, reply) => {
      const { merchantId, livemode } = principalOf(request)
      const { after, limit } = request.query
      const found = await context.store.feed(merchantId, livemode, after, limit + 1)
      return sendJson(reply, showFeed(found.slice(0, limit), found.length > limit))
    },
  )
}
