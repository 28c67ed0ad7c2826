import { Failure, failedWith } from '@settlewire/core/errors'
import type { PaymentEvent } from '@settlewire/core/payment/event'
import { eventOf } from '@settlewire/core/payment/event-text'
import { fold, type PolicyOf } from '@settlewire/core/payment/fold'
import type { Payment } from '@settlewire/core/payment/payment'
import type { Clock } from '../../ports/clock.ts'
import type { EventStore, IdempotentResult } from '../../ports/history.ts'

/** Whose payments: another merchant's, or those of the other mode, do not exist. */
export interface Scope {
  readonly merchantId: string
  readonly livemode: boolean
}

/** An Idempotency-Key with the SHA-256 of method, path and canonical body it came with. */
export interface IdempotencyKey {
  readonly key: string
  readonly requestHash: string
}

/** What a command answers: the payment as the command left it, also when it is asked again. */
export interface Answer {
  readonly payment: Payment
  /** The HTTP status that was first answered. */
  readonly status: number
  readonly replayed: boolean
}

/** An answer that is no resource: kept as it was given. */
export interface Told<Value> {
  readonly value: Value
  readonly status: number
  readonly replayed: boolean
}

/** The row that is stored together with the effect; none where no key was sent. */
export interface Kept {
  readonly idempotency?: IdempotentResult
}

/** What to do once. `record` makes the row that is stored together with the effect. */
export interface Work<Value> {
  readonly scope: Scope
  readonly idempotency: IdempotencyKey | null
  readonly status: number
  readonly run: (record: (payment: Payment, value: Value) => Kept) => Promise<Value>
}

/** How a value is kept, and made again. */
interface Form<Value> {
  readonly keep: (value: Value) => string | null
  readonly remake: (known: IdempotentResult) => Promise<Value>
}

type PaymentRun = (record: (payment: Payment) => Kept) => Promise<Payment>

export interface OnceOptions {
  readonly store: Pick<EventStore, 'idempotent' | 'history'>
  readonly clock: Pick<Clock, 'now'>
  readonly policyOf: PolicyOf
  /** Reads the rules of versions that this process may not know yet. */
  readonly learnPolicies?: (versions: Iterable<string>) => Promise<void>
}

const pageMax = 500

/** Does the same request once, however often it comes, and answers it the same each time. */
export class Once {
  readonly #options: OnceOptions
  /** The keys at work in this process, with what was asked. */
  readonly #running = new Map<string, string>()

  constructor(options: OnceOptions) {
    this.#options = options
  }

  /** A command that answers with the payment. */
  async do(work: Omit<Work<Payment>, 'run'> & { readonly run: PaymentRun }): Promise<Answer> {
    const run: Work<Payment>['run'] = (record) => work.run((payment) => record(payment, payment))
    const { value, ...rest } = await this.#once(
      { ...work, run },
      { keep: () => null, remake: ({ paymentId, sequence }) => this.#asOf(paymentId, sequence) },
    )
    return { payment: value, ...rest }
  }

  /** A command that answers with something else, all of it JSON. */
  tell<Value extends object>(work: Work<Value>): Promise<Told<Value>> {
    return this.#once(work, {
      keep: (value) => JSON.stringify(value),
      remake: async ({ told }) => {
        // The key was used for a command of the other kind: another path, so another hash.
        if (told === null) throw new Failure('idempotency_key_reused')
        return JSON.parse(told) as Value // as it was kept by the same request
      },
    })
  }

  async #once<Value>(work: Work<Value>, form: Form<Value>): Promise<Told<Value>> {
    const { scope, idempotency, status } = work
    if (idempotency === null) {
      return { value: await work.run(() => ({})), status, replayed: false }
    }
    const { key, requestHash } = idempotency
    const name = JSON.stringify([scope.merchantId, scope.livemode, key])
    const running = this.#running.get(name)
    if (running !== undefined) {
      throw running === requestHash
        ? new Failure('idempotency_in_progress', undefined, { retryAfterSeconds: 1 })
        : new Failure('idempotency_key_reused')
    }
    this.#running.set(name, requestHash)
    try {
      const known = await this.#answered(scope, idempotency, form)
      return known ?? (await this.#first(work, idempotency, form))
    } finally {
      this.#running.delete(name)
    }
  }

  async #first<Value>(
    work: Work<Value>,
    idempotency: IdempotencyKey,
    form: Form<Value>,
  ): Promise<Told<Value>> {
    const { scope, status } = work
    const { clock } = this.#options
    try {
      const value = await work.run(({ id, sequence }, value) => ({
        idempotency: {
          ...{ ...scope, ...idempotency, status, told: form.keep(value) },
          ...{ paymentId: id, sequence, at: clock.now() },
        },
      }))
      return { value, status, replayed: false }
    } catch (error) {
      if (!failedWith(error, 'idempotency_key_reused')) throw error
      // Another process took the key between our look and our commit: its answer is the answer.
      const answer = await this.#answered(scope, idempotency, form)
      if (answer === null) throw error
      return answer
    }
  }

  async #answered<Value>(
    { merchantId, livemode }: Scope,
    { key, requestHash }: IdempotencyKey,
    { remake }: Form<Value>,
  ): Promise<Told<Value> | null> {
    const known = await this.#options.store.idempotent(merchantId, livemode, key)
    if (known === null) return null
    if (known.requestHash !== requestHash) throw new Failure('idempotency_key_reused')
    return { value: await remake(known), status: known.status, replayed: true }
  }

  /** The payment as it stood at a sequence. */
  async #asOf(paymentId: string, sequence: number): Promise<Payment> {
    const events: PaymentEvent[] = []
    while (events.length < sequence) {
      const limit = Math.min(pageMax, sequence - events.length)
      const page = await this.#options.store.history(paymentId, events.length, limit)
      if (page.length === 0) throw new Failure('internal', 'The history ends before its answer.')
      events.push(...page.map((sealed) => eventOf(sealed)))
    }
    const { policyOf, learnPolicies } = this.#options
    await learnPolicies?.(new Set(events.map(({ evidence }) => evidence.policy)))
    return fold(events, policyOf)
  }
}
