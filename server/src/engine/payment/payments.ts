import { Failure } from '@settlewire/core/errors'
import { makeId } from '@settlewire/core/id'
import { decide, open } from '@settlewire/core/payment/decide'
import type { PolicyOf } from '@settlewire/core/payment/fold'
import { isQuarantined } from '@settlewire/core/payment/judge'
import type { ResolutionAction } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { ChainHead } from '@settlewire/core/payment/policy'
import type { EventStore, StoredEvent, SubjectQuery, Unreadable } from '../../ports/history.ts'
import type { WatchIndex } from '../watch/watch-index.ts'
import type { PaymentWriter } from '../write/writer.ts'
import type { AssetBook } from './asset-book.ts'
import type { Claim, ClaimAnswer, Claims } from './claims.ts'
import { DepositAddresses, type DepositAddressesOptions } from './deposit-addresses.ts'
import { contextOf, type Judge, newerHeads, observe } from './observe.ts'
import {
  type IdempotencyKey,
  Once,
  type PaymentAnswer,
  type Scope,
  type ValueAnswer,
} from './once.ts'
import { type PaymentRequest, prepareTerms } from './terms.ts'

export interface PaymentsOptions extends Judge, Omit<DepositAddressesOptions, 'clock'> {
  readonly store: Pick<EventStore, 'load' | 'list' | 'read' | 'history' | 'idempotent'>
  readonly writer: PaymentWriter
  readonly index: WatchIndex
  readonly assets: AssetBook
  readonly policyOf: PolicyOf
  readonly learnPolicies?: (versions: Iterable<string>) => Promise<void>
  readonly claims: Claims
  /** The head of a chain as of the last stored step. */
  readonly headOf: (chain: string) => ChainHead | null
  /** Called with each payment that a list leaves out because its stored state cannot be read. */
  readonly unreadable?: Unreadable
}

/** A page of payments, with the cursor of the next one. */
export interface PaymentPage {
  readonly payments: readonly Payment[]
  /** Ids of payments of this page whose stored state cannot be read. */
  readonly unreadable: readonly string[]
  readonly next: string | null
}

/** A person's decision about a payment that no rule can settle. */
export interface Resolve {
  readonly paymentId: string
  readonly action: ResolutionAction
  readonly reason: string
  /** Who decided: the id of the key or login that made the request. */
  readonly actor: string
}

/**
 * Everything that merchants may do with their payments and read of them. A payment of another
 * merchant or of the other mode throws `not_found`, exactly as an unknown one does.
 */
export class Payments {
  readonly #options: PaymentsOptions
  readonly #once: Once
  readonly #addresses: DepositAddresses

  constructor(options: PaymentsOptions) {
    this.#options = options
    this.#once = new Once(options)
    this.#addresses = new DepositAddresses(options)
  }

  /**
   * Opens a payment. Once it resolves, every payment to its address from the next block on is seen.
   */
  async create(
    scope: Scope,
    request: PaymentRequest,
    idempotency: IdempotencyKey | null,
  ): Promise<PaymentAnswer> {
    const answer = await this.#once.do({
      scope,
      idempotency,
      status: 201,
      run: async (record) => {
        const { clock, writer, index } = this.#options
        const termsAt = prepareTerms(request, this.#options.assets, scope.livemode)
        const { addressOn, depositIndex } = await this.#addresses.take(scope.merchantId)
        const context = contextOf(this.#options)
        const id = makeId('pi', context.at, clock.random(10))
        const terms = termsAt(addressOn, context.at)
        const transactionId = uuidV4(clock.random(16))
        const opening = { ...scope, kind: 'opened', transactionId, terms } as const
        // Watch and enqueue without a gap: a block that pays the address queues behind the opening.
        const stopWatching = index.watch(id, { ...scope, accept: terms.accept })
        const opened = writer.submit({
          ids: [],
          decide: () => {
            const decision = open(id, opening, context)
            const { payment } = decision
            return { decisions: [decision], depositIndex, ...record(payment), answer: payment }
          },
        })
        return opened.catch((error: unknown) => {
          // After `store_unavailable` the payment may have been committed, so keep watching it.
          const isDoubtful = error instanceof Failure && error.code === 'store_unavailable'
          if (!isDoubtful) stopWatching()
          throw error
        })
      },
    })
    this.#keepWatching(answer.payment)
    return answer
  }

  /**
   * Withdraws an unpaid request; a withdrawn one stays withdrawn. Throws `not_cancellable` for any
   * other payment. Throws `internal_contradiction` when a bug of ours prevents judging the payment:
   * the payment is quarantined together with the withdrawal, which is tried again later.
   */
  async cancel(
    scope: Scope,
    cancellation: { readonly paymentId: string; readonly reason: string },
    idempotency: IdempotencyKey | null,
  ): Promise<PaymentAnswer> {
    const { paymentId, reason } = cancellation
    return this.#once.do({
      scope,
      idempotency,
      status: 200,
      run: async (record) => {
        const payment = await this.#options.writer.submit({
          ids: [paymentId],
          decide: (payments) => {
            const known = own(scope, payments.get(paymentId))
            const { at } = contextOf(this.#options, known.head.at)
            const withdrawn = { kind: 'withdrawn', source: 'merchant', at, reason } as const
            const decision = observe(known, [withdrawn], this.#options)
            const { payment } = decision
            if (isQuarantined(payment)) return { decisions: [decision], answer: payment }
            if (payment.status !== 'cancelled') throw new Failure('not_cancellable')
            return { decisions: [decision], ...record(payment), answer: payment }
          },
        })
        if (isQuarantined(payment)) throw new Failure('internal_contradiction')
        return payment
      },
    })
  }

  /**
   * Applies a person's decision. Throws `nothing_to_resolve` where rules decide, and
   * `internal_contradiction` while the payment is quarantined. The history keeps the decision, who
   * made it and why.
   */
  async resolve(
    scope: Scope,
    resolve: Resolve,
    idempotency: IdempotencyKey | null,
  ): Promise<PaymentAnswer> {
    const { paymentId, ...choice } = resolve
    return this.#once.do({
      scope,
      idempotency,
      status: 200,
      run: (record) =>
        this.#options.writer.submit({
          ids: [paymentId],
          decide: (payments) => {
            const known = own(scope, payments.get(paymentId))
            // If a bug had kept the payment from being judged, judge it again before the decision.
            const tried = observe(known, [], this.#options)
            const { payment } = tried
            if (isQuarantined(payment)) throw new Failure('internal_contradiction')
            const context = contextOf(this.#options, payment.head.at)
            const resolved = { kind: 'resolved', source: 'merchant', at: context.at } as const
            const { received } = payment
            const decided = { ...resolved, ...choice, received }
            if (decide(payment, [decided], context).events.length === 0)
              throw new Failure('nothing_to_resolve')
            const { headOf } = this.#options
            const heads = newerHeads(payment, { headOf, at: context.at })
            const decision = decide(payment, [decided, ...heads], context)
            return {
              decisions: [tried, decision],
              ...record(decision.payment),
              answer: decision.payment,
            }
          },
        }),
    })
  }

  /**
   * Takes the hash of a transaction by which the payer says to have paid; only nodes can confirm
   * it. Scope null: the caller holds a secret of this one payment. Throws as `Claims.claim` does.
   */
  async claim(
    scope: Scope | null,
    claim: Claim,
    idempotency: IdempotencyKey | null,
  ): Promise<ValueAnswer<ClaimAnswer>> {
    const { paymentId } = claim
    const payment = await (scope === null
      ? this.getByBearer(paymentId)
      : this.get(scope, paymentId))
    const { merchantId, livemode } = payment
    return this.#once.doForValue({
      scope: { merchantId, livemode },
      status: 202,
      // A prefix separates the payer's keys from the merchant's, which contain no space.
      idempotency:
        scope === null && idempotency !== null
          ? { ...idempotency, key: `${paymentId} ${idempotency.key}` }
          : idempotency,
      run: (record) =>
        this.#options.claims.claim(payment, claim, idempotency === null ? null : record),
    })
  }

  async get(scope: Scope, paymentId: string): Promise<Payment> {
    const [payment] = await this.#options.store.load(paymentKind, [paymentId])
    return own(scope, payment ?? null)
  }

  /** For the holder of a secret of this one payment, without a merchant. Throws `not_found`. */
  async getByBearer(paymentId: string): Promise<Payment> {
    const [payment] = await this.#options.store.load(paymentKind, [paymentId])
    if (payment === undefined) throw new Failure('not_found')
    return payment
  }

  /** Newest first; the ids of payments whose stored state cannot be read are listed apart. */
  async list(scope: Scope, query: Omit<SubjectQuery, keyof Scope>): Promise<PaymentPage> {
    const unreadable: string[] = []
    const { found, next } = await this.#options.store.list(
      paymentKind,
      { ...query, ...scope },
      (id, error) => {
        unreadable.push(id)
        this.#options.unreadable?.(id, error)
      },
    )
    return { payments: found, unreadable, next }
  }

  /** Events with `sequence > after`, ascending, at most `limit`. */
  async events(
    scope: Scope,
    paymentId: string,
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly StoredEvent[]> {
    await this.get(scope, paymentId)
    return this.#options.store.read(paymentId, page.after, page.limit)
  }

  /** A replayed answer may be for a payment that another process opened: watch its address. */
  #keepWatching({ id, livemode, terms }: Payment): void {
    const { clock, index } = this.#options
    if (index.isWatched(id) || clock.now() > terms.monitorUntil) return
    index.watch(id, { livemode, accept: terms.accept })
  }
}

function own(scope: Scope, payment: Payment | null): Payment {
  const isOwn = payment?.merchantId === scope.merchantId && payment.livemode === scope.livemode
  if (payment === null || !isOwn) throw new Failure('not_found')
  return payment
}

/** A UUID version 4 as in RFC 9562, from 122 random bits. */
function uuidV4(random: Uint8Array): string {
  const bytes = Uint8Array.from(random)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Buffer.from(bytes).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
