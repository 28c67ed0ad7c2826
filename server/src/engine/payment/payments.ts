import { Failure } from '@settlewire/core/errors'
import { makeId } from '@settlewire/core/id'
import { decide, open } from '@settlewire/core/payment/decide'
import type { PolicyOf } from '@settlewire/core/payment/fold'
import { isSetAside } from '@settlewire/core/payment/judge'
import type { ResolutionAction } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { ChainHead } from '@settlewire/core/payment/policy'
import type { EventStore, StoredEvent, SubjectQuery } from '../../ports/history.ts'
import type { WatchIndex } from '../watch/watch-index.ts'
import type { PaymentWriter } from '../write/writer.ts'
import type { AssetBook } from './asset-book.ts'
import type { Claim, ClaimAnswer, Claims } from './claims.ts'
import { DepositAddresses, type DepositAddressesOptions } from './deposit-addresses.ts'
import { contextOf, type Judge, newerHeads, observe } from './observe.ts'
import { type Answer, type IdempotencyKey, Once, type Scope, type Told } from './once.ts'
import { type PaymentRequest, prepareTerms } from './terms.ts'

export interface PaymentsOptions extends Judge, Omit<DepositAddressesOptions, 'clock'> {
  readonly store: Pick<EventStore, 'load' | 'list' | 'read' | 'history' | 'idempotent'>
  readonly writer: PaymentWriter
  readonly index: WatchIndex
  readonly assets: AssetBook
  readonly policyOf: PolicyOf
  readonly learnPolicies?: (versions: Iterable<string>) => Promise<void>
  readonly claims: Claims
  /** As of the last stored step. */
  readonly headOf: (chain: string) => ChainHead | null
}

/** What a person decided about a payment that no rule can settle. */
export interface Resolve {
  readonly paymentId: string
  readonly action: ResolutionAction
  readonly reason: string
  /** Who: the id of the key or login that asked for it. */
  readonly actor: string
}

/**
 * What merchants may do with their payments, and read of them. What belongs to another merchant or
 * to the other mode is `not_found`, as what does not exist is.
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

  /** Opens a payment. When it resolves, money to its address is seen from the next block on. */
  async create(
    scope: Scope,
    request: PaymentRequest,
    idempotency: IdempotencyKey | null,
  ): Promise<Answer> {
    const answer = await this.#once.do({
      ...{ scope, idempotency, status: 201 },
      run: async (record) => {
        const { clock, writer, index } = this.#options
        const termsAt = prepareTerms(request, this.#options.assets, scope.livemode)
        const { addressOn, depositIndex } = await this.#addresses.take(scope.merchantId)
        const context = contextOf(this.#options)
        const id = makeId('pi', context.at, clock.random(10))
        const terms = termsAt(addressOn, context.at)
        const transactionId = uuidV4(clock.random(16))
        const opening = { ...scope, kind: 'opened', transactionId, terms } as const
        // Watched first and queued in the same breath: a block that pays it can only queue behind.
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
          // With `store_unavailable` it may stand in the history after all, and then it must be seen.
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
   * Withdraws a request that nobody has paid; one that is withdrawn already stays so. Where a fault
   * keeps the payment from being judged it throws `internal_contradiction`: the payment is set aside,
   * and the withdrawal is held with it and tried again.
   */
  async cancel(
    scope: Scope,
    cancellation: { readonly paymentId: string; readonly reason: string },
    idempotency: IdempotencyKey | null,
  ): Promise<Answer> {
    const { paymentId, reason } = cancellation
    return this.#once.do({
      ...{ scope, idempotency, status: 200 },
      run: async (record) => {
        const payment = await this.#options.writer.submit({
          ids: [paymentId],
          decide: (payments) => {
            const known = own(scope, payments.get(paymentId))
            const { at } = contextOf(this.#options, known.head.at)
            const withdrawn = { kind: 'withdrawn', source: 'merchant', at, reason } as const
            const decision = observe(known, [withdrawn], this.#options)
            const { payment } = decision
            if (isSetAside(payment)) return { decisions: [decision], answer: payment }
            if (payment.status !== 'cancelled') throw new Failure('not_cancellable')
            return { decisions: [decision], ...record(payment), answer: payment }
          },
        })
        if (isSetAside(payment)) throw new Failure('internal_contradiction')
        return payment
      },
    })
  }

  /**
   * A person decides: throws `nothing_to_resolve` where rules decide. The decision stands in the
   * history, with who made it and why.
   */
  async resolve(
    scope: Scope,
    resolve: Resolve,
    idempotency: IdempotencyKey | null,
  ): Promise<Answer> {
    const { paymentId, ...said } = resolve
    return this.#once.do({
      ...{ scope, idempotency, status: 200 },
      run: (record) =>
        this.#options.writer.submit({
          ids: [paymentId],
          decide: (payments) => {
            const known = own(scope, payments.get(paymentId))
            // What a fault has kept from being judged is tried again before a person decides.
            const tried = observe(known, [], this.#options)
            const { payment } = tried
            if (isSetAside(payment)) throw new Failure('internal_contradiction')
            const context = contextOf(this.#options, payment.head.at)
            const resolved = { kind: 'resolved', source: 'merchant', at: context.at } as const
            const { received } = payment
            const decided = { ...resolved, ...said, received }
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
   * The payer names the transaction that pays. It is looked for, never believed. Null for a scope:
   * the bearer of a secret of this one payment. Throws `too_many_claims`.
   */
  async claim(
    scope: Scope | null,
    claim: Claim,
    idempotency: IdempotencyKey | null,
  ): Promise<Told<ClaimAnswer>> {
    const { paymentId } = claim
    const payment = await (scope === null
      ? this.getByBearer(paymentId)
      : this.get(scope, paymentId))
    const { merchantId, livemode } = payment
    return this.#once.tell({
      ...{ scope: { merchantId, livemode }, status: 202 },
      // Keys of a payer are apart from those of the merchant, which hold no space.
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

  /** For the bearer of a secret of this one payment, who is no merchant. Throws `not_found`. */
  async getByBearer(paymentId: string): Promise<Payment> {
    const [payment] = await this.#options.store.load(paymentKind, [paymentId])
    if (payment === undefined) throw new Failure('not_found')
    return payment
  }

  /** Newest first. */
  async list(
    scope: Scope,
    query: Omit<SubjectQuery, keyof Scope>,
  ): Promise<{ payments: readonly Payment[]; next: string | null }> {
    const page = { ...query, ...scope }
    const { found, next } = await this.#options.store.list(paymentKind, page)
    return { payments: found, next }
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

  /** An answer given again can be one that another process committed: its address is seen from now on. */
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

/** 122 random bits as RFC 9562 writes them. */
function uuidV4(random: Uint8Array): string {
  const bytes = Uint8Array.from(random)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Buffer.from(bytes).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
