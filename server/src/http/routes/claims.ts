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

/** Each claim asks every node of every accepted chain: a page that repeats itself is told to wait. */
const burst = 10
const everyMs = 6_000

/** The payer says which transaction pays: for wallets that show a hash before any node does. */
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
          'It is looked for at every node of the accepted chains, now and with each block, and never believed: only what a node shows changes the payment. Naming it again is the same claim; with an `Idempotency-Key` it also gets the same answer.',
        security: securityOf(access),
        params: idParams,
        headers: idempotencyHeaders,
        body: claimTransaction,
        response: {
          202: json('It is looked for.', claimAnswer),
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
      const told = await context.payments.claim(scope, claim, idempotencyOf(request))
      if (!told.replayed) context.metrics.claimed(told.value.known)
      return sendAnswer(reply, told, { ...told.value, message: messageOf(told.value) })
    },
  )
}

const replaced = 'Another transaction of the same wallet took its place, so this one never arrives.'
const lookedFor = 'We go on looking for it; there is no need to send again.'

/** What the payer is told of the claim. The payment's own events tell what becomes of it. */
function messageOf({ known, pays }: ClaimAnswer): string {
  if (pays === false && known === 'not_found') return replaced
  if (pays === false) return 'The network knows this transaction, but it does not pay this request.'
  switch (known) {
    case 'pending':
      return 'The network knows this transaction. It counts once it is in a block.'
    case 'mined':
      if (pays === true) return 'This transaction is in a block, and pays this request.'
      return 'This transaction is in a block. If it pays this request, that shows here shortly.'
    case 'not_found':
      return `No node knows this transaction yet. ${lookedFor}`
    case 'unsure':
      return `Not every node could be asked about this transaction. ${lookedFor}`
  }
}
