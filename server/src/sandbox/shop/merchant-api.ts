import { Failure } from '@settlewire/core/errors'
import type { PaymentIntent } from '@settlewire/core/wire/wire'

const answerWithinMs = 10_000

/**
 * The API client of a shop's server: the public API over HTTP with the secret key, like any shop.
 * Every method rejects with the error of `fetch` if the API does not answer in time; all but `post`
 * reject with `internal` if the API refuses the request.
 */
export class MerchantApi {
  readonly #url: () => string
  readonly #secretKey: () => string

  constructor(url: () => string, secretKey: () => string) {
    this.#url = url
    this.#secretKey = secretKey
  }

  /** Creates a payment. The order number is the idempotency key: one order, one payment. */
  create(order: string, request: object): Promise<PaymentIntent> {
    return this.#ask<PaymentIntent>('/v1/payment-intents', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': order },
      body: JSON.stringify(request),
    })
  }

  /** The payment of an order, or null. */
  async find(order: string): Promise<PaymentIntent | null> {
    const query = new URLSearchParams({ reference: order, limit: '1' })
    const page = await this.#ask<{ data: PaymentIntent[] }>(`/v1/payment-intents?${query}`, {})
    return page.data[0] ?? null
  }

  /** Reads a path. `T` is the response type in the API contract. */
  read<T>(path: string): Promise<T> {
    return this.#ask<T>(path, {})
  }

  /** Posts a command and returns its answer or problem unchanged. */
  async post(path: string, body: object): Promise<{ ok: boolean; answer: unknown }> {
    const response = await this.#send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { ok: response.ok, answer: await response.json() }
  }

  #send(path: string, request: RequestInit): Promise<Response> {
    return fetch(this.#url() + path, {
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${this.#secretKey()}` },
      signal: AbortSignal.timeout(answerWithinMs),
    })
  }

  async #ask<T>(path: string, request: RequestInit): Promise<T> {
    const response = await this.#send(path, request)
    // Not validated: a shop trusts the API's contract.
    if (response.ok) return (await response.json()) as T
    const words = `The payment service refused the shop's request (status ${response.status}).`
    throw new Failure('internal', words, { cause: new Error(await response.text()) })
  }
}
