import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { sentence } from '../../html.ts'
import type { Clock } from '../../ports/clock.ts'
import type { MerchantApi } from '../shop/merchant-api.ts'
import { offers, pullOf } from './levers.ts'
import { type LeverOutcome, labPage } from './page.ts'
import {
  type LabChain,
  type LabEvent,
  type LabProvider,
  type LabState,
  partsOf,
  sightIn,
} from './parts.ts'

const shownMax = 12
const paymentForm = /^pi_[0-9a-z]{26}$/

interface Lab {
  readonly api: MerchantApi
  readonly clock: Clock
  /** The origin under which browsers reach this installation. */
  readonly origin: () => string
}

type Query = { Querystring: { payment?: string } }

/**
 * The lab of the demo shop. Its server uses the levers with the shop's secret key, which stays on
 * the server; the browser only gets the client secret of the payment that it follows.
 */
export function labRoutes(app: FastifyInstance, { api, clock, origin }: Lab): void {
  const script = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8')
  const scripts = { '/lab/lab.js': script('lab.mjs'), '/lab/stream.mjs': script('stream.mjs') }
  const send = async (reply: FastifyReply, id: string | undefined, outcome: LeverOutcome | null) =>
    reply
      .header('content-security-policy', policyFor(origin()))
      .type('text/html; charset=utf-8')
      .send(String(labPage(await stateOf(api, id), outcome)))
  app.get<Query>('/lab', visible, (request, reply) => send(reply, request.query.payment, null))
  for (const [path, text] of Object.entries(scripts)) {
    app.get(path, visible, async (_, reply) =>
      reply.header('cache-control', 'no-cache').type('text/javascript; charset=utf-8').send(text),
    )
  }
  app.get<Query>('/lab/parts', unlisted, async (request) => {
    const state = await stateOf(api, request.query.payment)
    const parts = Object.entries(partsOf(state)).map(([name, part]) => [name, String(part)])
    return { sight: sightIn(state), parts: Object.fromEntries(parts) }
  })
  app.post('/lab/orders', visible, async (request, reply) => {
    const wish = formOf(request, origin()).get('offer')
    const offer = offers.find(({ amount, currency }) => `${amount} ${currency}` === wish)
    if (offer === undefined) throw new Failure('not_found', 'Unknown offer.')
    const reference = `lab-${Buffer.from(clock.random(4)).toString('hex')}`
    const { id } = await api.create(reference, { ...offer, reference })
    return reply.redirect(`/lab?payment=${id}`, 303)
  })
  app.post('/lab/pull', visible, async (request, reply) => {
    const form = formOf(request, origin())
    const id = form.get('payment') ?? ''
    const outcome = await pull(api, form)
    const wantsPage = !request.headers.accept?.includes('application/json')
    return wantsPage
      ? send(reply, id, outcome)
      : { ok: outcome.ok, markup: String(sentence(outcome.words)) }
  })
}

const unlisted = { schema: { hide: true } }
/** Pages for people: errors are answered as a page. */
const visible = { config: { page: true }, ...unlisted }

/** Scripts and connections of our own origin only, and nothing inline. */
const policyFor = (origin: string): string =>
  `default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self' ${origin}; base-uri 'none'; frame-ancestors 'none'`

/** The fields of a form. Refuses forms of other sites, by the headers of the browser. */
function formOf({ headers, body }: FastifyRequest, own: string): URLSearchParams {
  const { host, origin, 'sec-fetch-site': site } = headers
  // Browsers before 2023 may send only `Origin`.
  const isOwn =
    site === undefined
      ? origin === undefined || origin === own || origin === `http://${host}`
      : site === 'same-origin' || site === 'none'
  if (!isOwn) throw new Failure('forbidden', 'The lab only accepts forms from its own page.')
  return body instanceof URLSearchParams ? body : new URLSearchParams()
}

async function stateOf(api: MerchantApi, id: string | undefined): Promise<LabState> {
  const wished = id !== undefined && paymentForm.test(id) ? id : null
  const [payments, chains, providers] = await Promise.all([
    api.read<{ data: PaymentIntent[] }>(`/v1/payment-intents?limit=${shownMax}`),
    api.read<{ data: LabChain[] }>('/v1/chains'),
    api.read<{ data: LabProvider[] }>('/v1/test/providers'),
  ])
  const chosen = await choose(api, payments.data, wished)
  return {
    ...{ payments: payments.data, chosen, providers: providers.data },
    events: chosen === null ? [] : await lastEvents(api, chosen),
    chain: chains.data.find(({ name }) => name === 'local') ?? null,
  }
}

/** The payment in the URL, or else the newest. */
async function choose(
  api: MerchantApi,
  payments: readonly PaymentIntent[],
  wished: string | null,
): Promise<PaymentIntent | null> {
  if (wished === null) return payments[0] ?? null
  const listed = payments.find(({ id }) => id === wished)
  return listed ?? (await api.read<PaymentIntent>(`/v1/payment-intents/${wished}`))
}

/** The latest events, newest first. */
async function lastEvents(
  api: MerchantApi,
  { id, sequence }: PaymentIntent,
): Promise<readonly LabEvent[]> {
  const query = `after=${Math.max(0, sequence - shownMax)}&limit=100`
  const { data } = await api.read<{ data: LabEvent[] }>(`/v1/payment-intents/${id}/events?${query}`)
  return data.toReversed().slice(0, shownMax)
}

async function pull(api: MerchantApi, form: URLSearchParams): Promise<LeverOutcome> {
  const id = form.get('payment') ?? ''
  const options = { keep: form.get('keep') === 'yes' }
  const payment = paymentForm.test(id)
    ? await api.read<PaymentIntent>(`/v1/payment-intents/${id}`)
    : null
  const pulled = pullOf(form.get('lever') ?? '', payment, options)
  if (pulled === null) throw new Failure('not_found', 'Unknown lever.')
  const { ok, answer } = await api.post(pulled.path, pulled.body)
  return { ok, words: ok ? said(answer) : refused(answer) }
}

const textOf = (answer: unknown, member: string): string | null =>
  typeof answer === 'object' && answer !== null && member in answer
    ? String(Object.entries(answer).find(([name]) => name === member)?.[1])
    : null

const short = (hash: string): string => `${hash.slice(0, 8)}…${hash.slice(-4)}`

/** The answer of a lever in a few words. Changes of the payment's status come as its events. */
function said(answer: unknown): string {
  const [txHash, replaced, amount] = ['txHash', 'replacedTxHash', 'amount'].map((member) =>
    textOf(answer, member),
  )
  if (txHash && replaced) return `Sent ${short(txHash)} in the place of ${short(replaced)}.`
  if (txHash && amount) return `Sent ${amount} ${textOf(answer, 'asset')} as ${short(txHash)}.`
  if (txHash) return `The nodes have dropped ${short(txHash)}.`
  const [head, name] = [textOf(answer, 'head'), textOf(answer, 'name')]
  if (head) return `The chain is at block ${head}.`
  if (name) return `${name}: ${textOf(answer, 'mode')?.replaceAll('_', ' ')}.`
  return 'Done.'
}

const refused = (problem: unknown): string =>
  textOf(problem, 'detail') ?? 'The request was refused without a reason.'
