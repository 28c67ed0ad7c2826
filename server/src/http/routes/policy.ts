import { explain } from '@settlewire/core/payment/explain'
import type { PolicyExplanation } from '@settlewire/core/payment/explanation'
import type { Principal } from '../../ports/access.ts'
import { paymentOf, principalOf } from '../access.ts'
import type { App, HttpContext } from '../context.ts'
import { json, problemsOf, securityOf } from '../contract/describe.ts'
import { policyExplanation } from '../contract/policy-schema.ts'
import { idParams } from '../contract/request-schema.ts'
import { displayNameOf, sendJson } from '../contract/show.ts'
import { routeAccess } from '../route-access.ts'

const access = routeAccess['GET /v1/payment-intents/:id/policy']

/** Explains why a payment waits: its rules, what arrived, what is missing, and for how long. */
export function policyRoutes(app: App, context: HttpContext): void {
  app.get(
    '/v1/payment-intents/:id/policy',
    {
      config: { access, crossOrigin: true },
      schema: {
        tags: ['Payment intents'],
        summary: 'Read why a payment waits, and for how long',
        description:
          'The policy in force as it applies to this payment and to each transfer, and the estimated time from measured block times. Each sentence in the answer repeats what its fields say.',
        security: securityOf(access),
        params: idParams,
        response: {
          200: json('As it stands now.', policyExplanation),
          ...problemsOf(access),
        },
      },
    },
    async (request, reply) => {
      const { chains, clock } = context
      const followed = new Set(chains.health().map(({ chain }) => chain))
      const explained = explain(paymentOf(request), {
        policy: chains.policy,
        pace: (chain) => (followed.has(chain) ? chains.paceOf(chain) : null),
        now: clock.now(),
        nameOf: (chain) => displayNameOf(chains.facts, chain),
        namesProviders: principalOf(request).kind !== 'client',
      })
      return sendJson(reply, shownTo(principalOf(request), explained))
    },
  )
}

/**
 * A caller with a client secret does not see provider names, because the secret is in the payer's
 * browser.
 */
function shownTo({ kind }: Principal, explained: PolicyExplanation): object {
  if (kind !== 'client') return explained
  const transfers = explained.transfers.map(({ sources: _, deniedBy: __, ...transfer }) => transfer)
  return { ...explained, transfers }
}
