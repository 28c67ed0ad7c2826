import type { Status } from '@settlewire/core/payment/status-model'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import type {
  ChainInfo,
  ClaimAnswer,
  ClaimRequest,
  PolicyAnswer,
  ResolveRequest,
} from './answers.ts'
import { paymentPath } from './attempt.ts'
import { follow } from './follow.ts'
import { makeKey } from './idempotency-key.ts'
import { type ServerAccess, sendForJson } from './request.ts'
import type { Update, WatchOptions } from './watch.ts'
import type { WireEvent } from './wire-event.ts'

/** The fields of a new payment. Amounts are decimal strings, never numbers. */
export interface CreateRequest {
  readonly amount: string
  readonly currency: string
  /** `SYMBOL.chain`, each an asset of that currency. Left out: all assets of the currency. */
  readonly accept?: readonly string[]
  /** Seconds. */
  readonly expiresIn?: number
  readonly reference?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly redirectUrl?: string
}

export interface ListQuery {
  readonly status?: Status
  readonly reference?: string
  readonly txHash?: string
  readonly address?: string
  readonly cursor?: string
  readonly limit?: number
}

export interface EventsQuery {
  /** The last sequence that the caller has. */
  readonly after?: number
  readonly limit?: number
  /** Seconds for which the server may hold the request while there is no new event; at most 25. */
  readonly wait?: number
}

/** A page, newest first. `nextCursor` is null on the last one. */
export interface Page<T> {
  readonly data: readonly T[]
  readonly nextCursor: string | null
  /**
   * Ids of payments of the page that the server cannot read; `data` is without them. Absent when
   * the server could read all of them.
   */
  readonly unreadable?: readonly string[]
}

export interface CallOptions {
  readonly signal?: AbortSignal
  /** Reuse it to repeat a request safely. Left out: each call gets a new key. */
  readonly idempotencyKey?: string
}

/**
 * The REST API and `watch`, for browsers and Node. Calls reject with a `RequestError`, or with the
 * reason of the signal that aborts them.
 */
export class Client {
  readonly #access: ServerAccess

  constructor(access: ServerAccess) {
    this.#access = access
  }

  create(request: CreateRequest, options: CallOptions = {}): Promise<PaymentIntent> {
    return this.#post('/v1/payment-intents', request, options)
  }

  get(id: string, { signal }: CallOptions = {}): Promise<PaymentIntent> {
    return this.#get(paymentPath(id), {}, signal)
  }

  list(query: ListQuery = {}, { signal }: CallOptions = {}): Promise<Page<PaymentIntent>> {
    return this.#get('/v1/payment-intents', { ...query }, signal)
  }

  cancel(
    id: string,
    request: { reason?: string } = {},
    options: CallOptions = {},
  ): Promise<PaymentIntent> {
    return this.#post(`${paymentPath(id)}/cancel`, request, options)
  }

  /** A payment's history, oldest first. */
  events(
    id: string,
    query: EventsQuery = {},
    { signal }: CallOptions = {},
  ): Promise<Pick<Page<WireEvent>, 'data'>> {
    return this.#get(`${paymentPath(id)}/events`, { ...query }, signal)
  }

  /**
   * Claims the transaction that pays, so that Settlewire searches for it. Allowed with a client
   * secret.
   */
  claim(id: string, request: ClaimRequest, options: CallOptions = {}): Promise<ClaimAnswer> {
    return this.#post(`${paymentPath(id)}/claims`, request, options)
  }

  /**
   * A person's decision about money that no rule can settle. Needs a secret key, or a restricted
   * key with the scope `payment_intents:resolve`.
   */
  resolve(id: string, request: ResolveRequest, options: CallOptions = {}): Promise<PaymentIntent> {
    return this.#post(`${paymentPath(id)}/resolve`, request, options)
  }

  /** What the payment waits for, why, and about how long. */
  policy(id: string, { signal }: CallOptions = {}): Promise<PolicyAnswer> {
    return this.#get(`${paymentPath(id)}/policy`, {}, signal)
  }

  /** The chains and assets of this installation, their rules, and how well each chain is seen. */
  chains({ signal }: CallOptions = {}): Promise<{ readonly data: readonly ChainInfo[] }> {
    return this.#get('/v1/chains', {}, signal)
  }

  /** Test mode only: the sandbox wallet sends a real transaction on the local chain. */
  payFromSandbox(
    id: string,
    request: { amount?: string; asset?: string } = {},
    options: CallOptions = {},
  ): Promise<unknown> {
    const path = `/v1/test/payment-intents/${encodeURIComponent(id)}/pay`
    return this.#post(path, request, options)
  }

  /**
   * Follows one payment until it closes; with `until: 'final'`, until it is final. See `follow`.
   */
  watch(
    id: string,
    options: Omit<WatchOptions, 'access' | 'paymentId'> & { signal?: AbortSignal } = {},
  ): AsyncGenerator<Update, void, void> {
    const { signal, ...rest } = options
    return follow({ ...rest, access: this.#access, paymentId: id }, signal)
  }

  // The types below are the wire contract's. Responses of Settlewire itself are not validated
  // again.

  async #get<T>(path: string, query: object, signal?: AbortSignal): Promise<T> {
    const fields = query as Record<string, string | number | undefined> // the queries above
    return (await sendForJson(this.#access, { path, query: fields, signal })) as T // see above
  }

  async #post<T>(path: string, body: object, options: CallOptions): Promise<T> {
    const { idempotencyKey = makeKey(), signal } = options
    const headers = { 'idempotency-key': idempotencyKey }
    return (await sendForJson(this.#access, { method: 'POST', path, body, headers, signal })) as T // see above
  }
}
