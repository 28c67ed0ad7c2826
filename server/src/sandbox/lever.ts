import { errorCatalogue, Failure } from '@settlewire/core/errors'
import { canonicalJson } from '@settlewire/core/history/canonical-json'
import type { Payment } from '@settlewire/core/payment/payment'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Gate } from '../ports/access.ts'
import { OnceInMemory } from './once-in-memory.ts'

type Code = keyof typeof errorCatalogue

/** A sandbox route: its path, documentation, body and answer. */
interface LeverContract<Body extends z.ZodType, Answer extends z.ZodType> {
  readonly path: string
  readonly method?: 'GET' | 'POST'
  readonly summary: string
  /** Its effect, and when it answers. */
  readonly description: string
  readonly body?: Body
  readonly answer: Answer
  /** Its errors, besides those of every route. */
  readonly refusals: readonly Code[]
}

/** A lever on the payment in its path, for API keys and for the payment's client secret. */
export interface PaymentLever<Body extends z.ZodType, Answer extends z.ZodType>
  extends LeverContract<Body, Answer> {
  readonly run: (payment: Payment, body: z.output<Body>) => Promise<z.output<Answer>>
}

/** A lever on the chain, for API keys. */
export interface ChainLever<Body extends z.ZodType, Answer extends z.ZodType>
  extends LeverContract<Body, Answer> {
  readonly run: (body: z.output<Body>) => Promise<z.output<Answer>>
}

const scope = 'payment_intents:write'

/** Adds `/v1/test/payment-intents/{id}/…`. */
export function addPaymentLever<Body extends z.ZodType, Answer extends z.ZodType>(
  app: FastifyInstance,
  gate: Gate,
  lever: PaymentLever<Body, Answer>,
): void {
  const opened = new WeakMap<FastifyRequest, Payment>()
  add(app, lever, {
    path: `/v1/test/payment-intents/:id/${lever.path}`,
    params: z.object({ id: z.string() }),
    security: [{ key: [scope] }, { clientSecret: [] }, { checkoutCookie: [] }],
    open: async (request) => {
      const { id } = request.params as { id: string } // the path has `:id`
      const { payment } = await gate.open(request, { scope, paymentId: id, allowsClient: true })
      if (payment.livemode) throw new Failure('sandbox_only')
      opened.set(request, payment)
      // Idempotency keys are per payment, so that they do not collide with those of other payments.
      return payment.id
    },
    run: (request, body) => {
      const payment = opened.get(request)
      if (payment === undefined) throw new Failure('unauthenticated')
      return lever.run(payment, body)
    },
  })
}

/** Adds `/v1/test/…`. */
export function addChainLever<Body extends z.ZodType, Answer extends z.ZodType>(
  app: FastifyInstance,
  gate: Gate,
  lever: ChainLever<Body, Answer>,
): void {
  add(app, lever, {
    path: `/v1/test/${lever.path}`,
    params: undefined,
    security: [{ key: [scope] }],
    open: async (request) => {
      const { merchantId, livemode } = await gate.authenticate(request, { scope })
      if (livemode) throw new Failure('sandbox_only')
      return merchantId
    },
    run: (_, body) => lever.run(body),
  })
}

interface Mount<Body extends z.ZodType, Answer extends z.ZodType> {
  readonly path: string
  readonly params: z.ZodType | undefined
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  /** Authenticates. Resolves with the owner of the idempotency keys. */
  readonly open: (request: FastifyRequest) => Promise<string>
  readonly run: (request: FastifyRequest, body: z.output<Body>) => Promise<z.output<Answer>>
}

const headers = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'Must be 1 to 255 visible ASCII characters.')
    .optional(),
})

function add<Body extends z.ZodType, Answer extends z.ZodType>(
  app: FastifyInstance,
  lever: LeverContract<Body, Answer>,
  mount: Mount<Body, Answer>,
): void {
  const once = new OnceInMemory<object>()
  const owners = new WeakMap<FastifyRequest, string>()
  const { method = 'POST' } = lever
  app.route({
    method,
    url: mount.path,
    schema: {
      ...documentationOf(lever, method),
      security: mount.security,
      ...(mount.params && { params: mount.params }),
      ...(method === 'POST' && { headers, body: lever.body ?? nothing }),
    },
    // Before the body is read, so that unauthenticated requests get no hint about its errors.
    onRequest: async (request) => {
      owners.set(request, await mount.open(request))
    },
    handler: async (request, reply) => {
      const body = request.body as z.output<Body> // the schema has parsed it
      const run = async () => (await mount.run(request, body)) as object // every answer is an object
      const key = request.headers['idempotency-key']
      const name = typeof key === 'string' ? `${owners.get(request)} ${key}` : null
      const { answer, isReplay } = await once.do({ name, asked: canonicalJson(body ?? {}), run })
      if (isReplay) reply.header('idempotency-replayed', 'true')
      return answer
    },
  })
}

/** The body of a lever without parameters. */
const nothing = z
  .strictObject({})
  .nullish()
  .transform(() => ({}))

const documentationOf = <Body extends z.ZodType, Answer extends z.ZodType>(
  { summary, description, answer, refusals }: LeverContract<Body, Answer>,
  method: 'GET' | 'POST',
) => {
  const posted: Code[] = [
    ...(['malformed_body', 'idempotency_in_progress', 'idempotency_key_reused'] as const),
  ]
  const ofKeys = [
    ...(['unauthenticated', 'key_revoked', 'key_expired', 'merchant_disabled'] as const),
    ...(['scope_missing', 'forbidden'] as const),
  ]
  const always: Code[] = ['invalid_request', ...ofKeys, 'sandbox_only']
  const codes = [...always, ...(method === 'POST' ? posted : []), ...refusals]
  return {
    tags: ['Sandbox'],
    ...{ summary, description: `Test mode only. ${description}` },
    response: {
      200: { description: 'Done.', content: { 'application/json': { schema: answer } } },
      ...problems([...codes, 'chain_unavailable', 'store_unavailable']),
    },
  }
}

function problems(codes: readonly Code[]): Record<number, object> {
  const byStatus = Map.groupBy(new Set(codes), (code) => errorCatalogue[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, some]) => [
      status,
      {
        description: some.map((code) => `\`${code}\`: ${errorCatalogue[code].title}`).join('\n\n'),
        content: { 'application/problem+json': { schema: z.unknown() } },
      },
    ]),
  )
}
