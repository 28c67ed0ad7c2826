import { Failure, failedWith } from '@settlewire/core/errors'
import type { PaymentEvent } from '@settlewire/core/payment/event'
import { eventOf } from '@settlewire/core/payment/event-text'
import { fold, type PolicyOf } from '@settlewire/core/payment/fold'
import type { Payment } from '@settlewire/core/payment/payment'
import type { Clock } from '../../ports/clock.ts'
import type { EventStore, IdempotentResult } from '../../ports/history.ts'

/** Whose payments. Payments of another merchant or of the other mode are treated as unknown. */
export interface Scope {
  readonly merchantId: string
  readonly livemode: boolean
}

/** An Idempotency-Key, with the SHA-256 of the method, path and canonical body of its request. */
export interface IdempotencyKey {
  readonly key: string
  readonly requestHash: string
}

/**
 * The answer of a command: the payment as the command left it, also when the request is repeated.
 */
export interface PaymentAnswer {
  readonly payment: Payment
  /** The HTTP status that was first answered. */
  readonly status: number
  readonly replayed: boolean
}

/** An answer that is not a payment: stored as it was given. */
export interface ValueAnswer<Value> {
  readonly value: Value
  readonly status: number
  readonly replayed: boolean
}

/** The row stored in one transaction with the effect. Empty when the request had no key. */
export interface KeptAnswer {
  readonly idempotency?: IdempotentResult
}

/** A command to run once. `record` makes the row that is stored together with the effect. */
export interface OnceCommand<Value> {
  readonly scope: Scope
  readonly idempotency: IdempotencyKey | null
  readonly status: number
  readonly run: (record: (payment: Payment, value: Value) => KeptAnswer) => Promise<Value>
}

/** How an answer is stored, and restored from its row. */
interface AnswerForm<Value> {
  readonly keep: (value: Value) => string | null
  readonly remake: (known: IdempotentResult) => Promise<Value>
}

type PaymentRun = (record: (payment: Payment) => KeptAnswer) => Promise<Payment>

export interface OnceOptions {
  readonly store: Pick<EventStore, 'idempotent' | 'history'>
  readonly clock: Pick<Clock, 'now'>
  readonly policyOf: PolicyOf
  /** Loads the policies of versions that this process may not know yet. */
  readonly learnPolicies?: (versions: Iterable<string>) => Promise<void>
}

const pageMax = 500

/** Runs the same request once, however often it arrives, and gives the same answer each time. */
export class Once {
  readonly #options: OnceOptions
  /** The keys being handled in this process, with the hash of each request. */
  readonly #running = new Map<string, string>()

  constructor(options: OnceOptions) {
    this.#options = options
  }

  /** Runs a command whose answer is the payment. */
  async do(
    work: Omit<OnceCommand<Payment>, 'run'> & { readonly run: PaymentRun },
  ): Promise<PaymentAnswer> {
    const run: OnceCommand<Payment>['run'] = (record) =>
      work.run((payment) => record(payment, payment))
    const { value, ...rest } = await this.#once(
      { ...work, run },
      { keep: () => null, remake: ({ paymentId, sequence }) => this.#asOf(paymentId, sequence) },
    )
    return { payment: value, ...rest }
  }

  /** Runs a command whose answer is some other value, which must be plain JSON. */
  doForValue<Value extends object>(work: OnceCommand<Value>): Promise<ValueAnswer<Value>> {
    return this.#once(work, {
      keep: (value) => JSON.stringify(value),
      remake: async ({ body }) => {
        // The key was used for the other sort of command, so the path and its hash must differ.
        if (body === null) throw new Failure('idempotency_key_reused')
        return JSON.parse(body) as Value // as it was kept by the same request
      },
    })
  }

  async #once<Value>(
    work: OnceCommand<Value>,
    form: AnswerForm<Value>,
  ): Promise<ValueAnswer<Value>> {
    const { scope, idempotency, status } = work
    if (idempotency === null) {
      return { value: await work.run(() => ({})), status, replayed: false }
    }
    const { key, requestHash } = idempotency
    const lock = JSON.stringify([scope.merchantId, scope.livemode, key])
    const running = this.#running.get(lock)
    if (running !== undefined) {
      throw running === requestHash
        ? new Failure('idempotency_in_progress', undefined, { retryAfterSeconds: 1 })
        : new Failure('idempotency_key_reused')
    }
    this.#running.set(lock, requestHash)
    try {
      const known = await this.#answered(scope, idempotency, form)
      return known ?? (await this.#first(work, idempotency, form))
    } finally {
      this.#running.delete(lock)
    }
  }

  async #first<Value>(
    work: OnceCommand<Value>,
    idempotency: IdempotencyKey,
    form: AnswerForm<Value>,
  ): Promise<ValueAnswer<Value>> {
    const { scope, status } = work
    const { clock } = this.#options
    try {
      const value = await work.run(({ id, sequence }, value) => ({
        idempotency: {
          ...scope,
          ...idempotency,
          status,
          body: form.keep(value),
          paymentId: id,
          sequence,
          at: clock.now(),
        },
      }))
      return { value, status, replayed: false }
    } catch (error) {
      if (!failedWith(error, 'idempotency_key_reused')) throw error
      // Another process committed under this key after our lookup: return its answer.
      const answer = await this.#answered(scope, idempotency, form)
      if (answer === null) throw error
      return answer
    }
  }

  async #answered<Value>(
    { merchantId, livemode }: Scope,
    { key, requestHash }: IdempotencyKey,
    { remake }: AnswerForm<Value>,
  ): Promise<ValueAnswer<Value> | null> {
    const known = await this.#options.store.idempotent(merchantId, livemode, key)
    if (known === null) return null
    if (known.requestHash !== requestHash) throw new Failure('idempotency_key_reused')
    return { value: await remake(known), status: known.status, replayed: true }
  }

  /** The payment as it was at a sequence. */
  async #asOf(paymentId: string, sequence: number): Promise<Payment> {
    const events: PaymentEvent[] = []
    while (events.length < sequence) {
      const limit = Math.min(pageMax, sequence - events.length)
      const page = await this.#options.store.history(paymentId, events.length, limit)
      if (page.length === 0)
        throw new Failure('internal', 'The payment has fewer events than its stored answer names.')
      events.push(...page.map((sealed) => eventOf(sealed)))
    }
    const { policyOf, learnPolicies } = this.#options
    await learnPolicies?.(new Set(events.map(({ evidence }) => evidence.policy)))
    return fold(events, policyOf)
  }
}
