import { parseAmount, printAmount } from '@settlewire/core/amount'
import { canonicalJson } from '@settlewire/core/canonical-json'
import { errorCatalogue, Failure } from '@settlewire/core/errors'
import type { Acceptance, Payment } from '@settlewire/core/payment'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Gate } from '../ports.ts'
import { OnceInMemory } from './once-in-memory.ts'
import type { SandboxWallet } from './wallet.ts'

const body = z
  .strictObject({
    amount: z
      .string()
      .max(100)
      .optional()
      .meta({ description: 'A decimal string; left out: what is still missing.' }),
    asset: z
      .string()
      .max(64)
      .optional()
      .meta({ description: 'One of `accept`, as `USDC.local`; left out: the first of them.' }),
  })
  .nullish()
  .transform((sent) => sent ?? {})
type Wish = z.infer<typeof body>

const headers = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'Must be 1 to 255 visible ASCII characters.')
    .optional(),
})

const sent = z.strictObject({
  txHash: z.string(),
  chain: z.string(),
  asset: z.string(),
  amount: z.string(),
  from: z.string(),
})
type Sent = z.infer<typeof sent>

/**
 * `POST /v1/test/payment-intents/{id}/pay`: has the sandbox's wallet send a real transaction on the
 * local chain. It answers when the chain has taken it; the payment itself moves only when the server
 * sees the transaction, as with any other wallet.
 */
export const payRoutes =
  (wallet: Pick<SandboxWallet, 'address' | 'pay'>) =>
  (app: FastifyInstance, gate: Gate): void => {
    const once = new OnceInMemory<Sent>()
    const opened = new WeakMap<object, Payment>()
    app.withTypeProvider<ZodTypeProvider>().post(
      '/v1/test/payment-intents/:id/pay',
      {
        schema: {
          ...documentation,
          params: z.object({ id: z.string() }),
          headers,
          body,
        },
        // Before the body is read: a stranger learns nothing of what would be wrong with it.
        onRequest: async (request) => {
          const { id } = request.params
          const needs = { scope: 'payment_intents:write', paymentId: id, client: true } as const
          const { payment } = await gate.open(request, needs)
          if (payment.livemode) throw new Failure('sandbox_only')
          opened.set(request, payment)
        },
      },
      async (request, reply) => {
        const payment = opened.get(request)
        if (payment === undefined) throw new Failure('unauthenticated')
        const key = request.headers['idempotency-key']
        const wish = request.body
        // Under the payment's name: a payer's key and the merchant's must not meet.
        const name = key === undefined ? null : `${payment.id} ${key}`
        const run = () => pay(wallet, payment, wish)
        const { answer, isReplay } = await once.do({ name, asked: canonicalJson(wish), run })
        if (isReplay) reply.header('idempotency-replayed', 'true')
        return answer
      },
    )
  }

const problem = (...codes: (keyof typeof errorCatalogue)[]) => ({
  description: codes.map((code) => `\`${code}\`: ${errorCatalogue[code].title}`).join('\n\n'),
  content: { 'application/problem+json': { schema: z.unknown() } },
})

const documentation = {
  tags: ['Sandbox'],
  summary: 'Pay from the sandbox wallet',
  description:
    'Test mode only. Sends a real transaction on the local chain and answers when the chain has taken it.',
  security: [{ key: [] }, { clientSecret: [] }, { checkoutCookie: [] }],
  response: {
    200: { description: 'Sent.', content: { 'application/json': { schema: sent } } },
    400: problem('invalid_request', 'malformed_body'),
    401: problem('unauthenticated'),
    403: problem('forbidden'),
    404: problem('not_found', 'sandbox_only'),
    409: problem('idempotency_in_progress'),
    422: problem('invalid_amount', 'unsupported_asset', 'idempotency_key_reused'),
    503: problem('chain_unavailable', 'store_unavailable'),
  },
}

async function pay(
  wallet: Pick<SandboxWallet, 'address' | 'pay'>,
  payment: Payment,
  wish: Wish,
): Promise<Sent> {
  const accept = chooseAcceptance(payment, wish.asset)
  const amount = amountOf(payment, accept, wish.amount)
  const txHash = await wallet.pay({ accept, amount })
  return {
    txHash,
    chain: accept.chain,
    asset: accept.asset,
    amount: printAmount(amount, accept.decimals),
    from: wallet.address,
  }
}

function chooseAcceptance(payment: Payment, name: string | undefined): Acceptance {
  const onChain = payment.terms.accept.filter((accept) => accept.chain === 'local')
  const accept =
    name === undefined
      ? onChain[0]
      : onChain.find((one) => one.asset === name || `${one.asset}.${one.chain}` === name)
  if (accept !== undefined) return accept
  const names = onChain.map((one) => `${one.asset}.${one.chain}`).join(', ')
  throw new Failure('unsupported_asset', `The sandbox can pay this with: ${names || 'nothing'}.`)
}

/** In the asset's own units. What is missing is rounded up: a coarse asset must still cover it. */
function amountOf(payment: Payment, { decimals }: Acceptance, text: string | undefined): bigint {
  if (text !== undefined) {
    const amount = parseAmount(text, decimals)
    if (amount > 0n) return amount
    throw new Failure('invalid_amount', 'The amount must be more than nothing.')
  }
  const missing = payment.terms.amount - payment.received - payment.pending
  if (missing <= 0n) {
    throw new Failure('invalid_amount', 'Nothing is missing. Send an amount to pay all the same.')
  }
  const unit = 10n ** BigInt(payment.terms.decimals - decimals)
  return (missing + unit - 1n) / unit
}
