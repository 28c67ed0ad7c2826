import { Failure } from '@settlewire/core/errors'
import { isId } from '@settlewire/core/id'
import { toRfc3339 } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment/payment'
import { z } from 'zod'
import { checkoutTokenOf, clientSecretOf, sameSecret } from '../../credential.ts'
import { chainsOf, sightOf } from '../../engine/watch/sight.ts'
import type { RouteAccess } from '../access.ts'
import type { Assets } from '../assets.ts'
import { checkoutCookie } from '../auth.ts'
import type { App, HttpContext } from '../context.ts'
import { problemsOf, securityOf, text } from '../contract/describe.ts'
import { displayNameOf, show } from '../contract/show.ts'
import { pagePolicy } from '../headers.ts'
import { pageWithState, sendPlainPage, takesState } from '../page.ts'

const access: RouteAccess = { who: 'anyone' }
/** The file of the built page below `webRoot`. */
const pageName = 'checkout.html'

/** The checkout page. Its URL holds a token that allows following this one payment. */
export function checkoutRoutes(app: App, context: HttpContext, assets: Assets): void {
  const page = assets.get(pageName)?.identity.toString('utf8') ?? null
  if (page === null || !takesState(page)) {
    context.log.warn({ area: 'http', what: pageName }, 'the checkout page is not built')
  }
  app.get(
    '/pay/:id/:token',
    {
      config: { access, page: true },
      schema: {
        tags: ['Checkout'],
        summary: 'The checkout page',
        description:
          'For browsers. Sets a cookie that only allows the page to read and follow its payment.',
        security: securityOf(access),
        params: z.object({ id: z.string(), token: z.string() }),
        response: {
          200: text('The page.', 'text/html'),
          404: text('A page that says that the link does not work.', 'text/html'),
          ...problemsOf(access, ['store_unavailable']),
        },
      },
    },
    async (request, reply) => {
      const { id, token } = request.params
      reply.header('x-robots-tag', 'noindex, nofollow')
      const payment = await findByLink(context, id, token)
      if (payment === null) return sendPlainPage(reply, 404, wrongLink)
      request.shopUrl = payment.terms.redirectUrl
      if (page === null) return sendPlainPage(reply, 503, notBuilt)
      const html = pageWithState(page, await stateOf(payment, context))
      return reply
        .headers({
          'set-cookie': cookiesFor(payment, context),
          'content-security-policy': pagePolicy,
          'content-type': 'text/html; charset=utf-8',
        })
        .send(html)
    },
  )
  // A link that was cut off, or has something behind it, is a wrong link too.
  app.get('/pay/*', { config: { access, page: true }, schema: { hide: true } }, (_, reply) =>
    sendPlainPage(reply.header('x-robots-tag', 'noindex, nofollow'), 404, wrongLink),
  )
}

const wrongLink = [
  'This payment link does not work',
  'It may be incomplete. Go back to the shop that gave you the link, and open the payment from there again. Do not send money before the payment is shown.',
] as const
const notBuilt = [
  'The checkout page is not built',
  'The operator of this server can build it with npm run build.',
] as const

/**
 * Null alike for a wrong token, an unknown payment and a malformed id: clients see no difference.
 */
async function findByLink(
  { secrets, payments }: HttpContext,
  id: string,
  token: string,
): Promise<Payment | null> {
  const isGenuine = isId('pi', id) && sameSecret(token, checkoutTokenOf(secrets.checkout, id))
  if (!isGenuine) return null
  return payments.getByBearer(id).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'not_found') return null
    throw error
  })
}

/** The initial state of the page, so that it never opens blank. */
async function stateOf(payment: Payment, context: HttpContext): Promise<object> {
  const merchant = await context.directory.merchant(payment.merchantId)
  const now = context.clock.now()
  const chains = chainsOf(payment)
  return {
    payment: show(payment, { kind: 'client' }, context),
    merchant: { name: merchant?.name ?? '' },
    // The page sends it as a header, because browsers may block the cookie.
    clientSecret: clientSecretOf(context.secrets.clientSecret, payment.id),
    chainNames: Object.fromEntries(
      context.chains.facts.map(({ name }) => [name, displayNameOf(context.chains.facts, name)]),
    ),
    serverTime: toRfc3339(now),
    chains: sightOf(context.chains.health(), chains, now).chains,
    // Whether the sandbox's wallet can pay it: POST /v1/test/payment-intents/{id}/pay.
    sandbox: context.sandbox && !payment.livemode,
  }
}

/** One cookie for the payment's routes, and with a sandbox one for its test routes. */
function cookiesFor(payment: Payment, { secrets, sandbox, origin }: HttpContext): string[] {
  const value = clientSecretOf(secrets.clientSecret, payment.id)
  const secure = origin().startsWith('https:') ? '; Secure' : ''
  const paths = [`/v1/payment-intents/${payment.id}`]
  if (sandbox && !payment.livemode) paths.push(`/v1/test/payment-intents/${payment.id}`)
  return paths.map(
    (path) => `${checkoutCookie}=${value}; Path=${path}; HttpOnly; SameSite=Lax${secure}`,
  )
}
