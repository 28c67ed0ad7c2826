import { paymentOf, principalOf } from '../access.ts'
import type { App, HttpContext } from '../context.ts'
import { paymentIntent } from '../contract/answer-schema.ts'
import { bodyProblems, json, keyProblems, problemsOf, securityOf } from '../contract/describe.ts'
import { idempotencyHeaders, idParams, resolvePaymentIntent } from '../contract/request-schema.ts'
import { sendAnswer, show } from '../contract/show.ts'
import { idempotencyOf } from '../idempotency.ts'
import { routeAccess } from '../route-access.ts'
import { scopeOf } from '../scope.ts'

const access = routeAccess['POST /v1/payment-intents/:id/resolve']

/** Records a person's decision in the history, with its reason and the key that made it. */
export function resolveRoutes(app: App, context: HttpContext): void {
  app.post(
    '/v1/payment-intents/:id/resolve',
    {
      config: { access },
      schema: {
        tags: ['Payment intents'],
        summary: 'Decide what the policy cannot decide',
        description:
          'Accept an underpayment (`accept`), extend the deadline (`wait`), record a refund (`refund_noted`) or set money aside (`dismiss`). The decision becomes an event with its reason and the key that made it; `resolutions` lists all decisions.',
        security: securityOf(access),
        params: idParams,
        headers: idempotencyHeaders,
        body: resolvePaymentIntent,
        response: {
          200: json('Decided.', paymentIntent),
          ...problemsOf(access, [...bodyProblems, ...keyProblems, 'nothing_to_resolve']),
        },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request)
      const resolution = {
        paymentId: paymentOf(request).id,
        ...request.body,
        actor: principal.actor,
      }
      const key = idempotencyOf(request)
      const answer = await context.payments.resolve(scopeOf(principal), resolution, key)
      return sendAnswer(reply, answer, show(answer.payment, principal, context))
    },
  )
}
