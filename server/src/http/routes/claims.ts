import type { ClaimAnswer } from '../../engine/payment/claims.ts'
import { paymentOf, principalOf } from '../access.ts'
import { Allowance } from '../allowance.ts'
import type { App, HttpContext } from '../context.ts'
import { claimAnswer } from '../contract/answer-schema.ts'
import { bodyProblems, json, keyProblems, problemsOf, securityOf } from '../contract/describe.ts'
import { claimTransaction, idempotencyHeaders, idParams } from '../contract/request-schema.ts'
import { sendAnswer } from '../contract/show.ts'
import { idempotencyOf } from '../idempotency.ts'
import { routeAccess } from '../route-access.ts'
import { scopeOf } from '../scope.ts'

const access = routeAccess['POST /v1/payment-intents/:id/claims']

/**
 * Each claim queries every node of the accepted chains, or of the one that it names, so claims of a
 * payment are rate limited.
 */
const burst = 10
const everyMs = 6_000

/** The payer names the transaction, for wallets that show a hash before any node knows it. */
export function claimRoutes(app: App, context: HttpContext): void {
  const allowance = new Allowance({ clock: context.clock, burst, everyMs })
  app.post(
    '/v1/payment-intents/:id/claims',
    {
      config: { access, crossOrigin: true },
      schema: {
        tags: ['Payment intents'],
        summary: 'Name the transaction that pays',
        description:
          'The server looks for the transaction at every node of the accepted chains, now and with each block. A claim alone never changes the payment: only a transaction that a node shows does. Naming it again is the same claim; with an `Idempotency-Key` it also gets the same answer.',
        security: securityOf(access),
        params: idParams,
        headers: idempotencyHeaders,
        body: claimTransaction,
        response: {
          202: json('The server looks for the transaction.', claimAnswer),
          ...problemsOf(access, [
            ...bodyProblems,
            ...keyProblems,
            ...(['too_many_claims', 'rate_limited'] as const),
          ]),
        },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request)
      const paymentId = paymentOf(request).id
      allowance.take(paymentId)
      const scope = principal.kind === 'client' ? null : scopeOf(principal)
      const claim = { paymentId, ...request.body }
      const answer = await context.payments.claim(scope, claim, idempotencyOf(request))
      if (!answer.replayed) context.metrics.claimed(answer.value.known)
      return sendAnswer(reply, answer, { ...answer.value, message: messageOf(answer.value) })
    },
  )
}

const replaced = 'Another transaction of the same wallet replaced it, so this one never arrives.'
const lookedFor = 'We keep looking for it; there is no need to send again.'

/** The answer to the claim in words for the payer. Later changes come as events of the payment. */
function messageOf({ known, pays }: ClaimAnswer): string {
  if (pays === false && known === 'not_found') return replaced
  if (pays === false) return 'The network knows this transaction, but it does not pay this request.'
  switch (known) {
    case 'pending':
      return 'The network knows this transaction. It counts once it is in a block.'
    case 'mined':
      if (pays === true) return 'This transaction is in a block, and pays this request.'
      return 'This transaction is in a block. If it pays this request, it shows here shortly.'
    case 'not_found':
      return `No node knows this transaction yet. ${lookedFor}`
    case 'unsure':
      return `Some nodes did not answer about this transaction. ${lookedFor}`
  }
}
