import { assert } from '@settlewire/core/assert'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { Policy } from '@settlewire/core/payment/policy'
import type { EventStore, Unreadable, Watched } from '../../ports/history.ts'
import type { Stop } from '../../ports/stop.ts'
import { AddressBook } from './address-book.ts'
import { nativeIncomes } from './native-record.ts'
import { openTransactions } from './open-transactions.ts'
import { WatchedChain } from './watched-chain.ts'

/** How many payments are loaded at once. */
const pageMax = 500

/** A chain that is followed here. Live and test chains never share addresses. */
export interface FollowedChain {
  readonly name: string
  readonly livemode: boolean
}

/** The part of a payment that is needed to see money paid to it. */
export type Watching = Omit<Watched, 'paymentId'>

/**
 * What this process looks for on its chains: loaded from the store once, then updated by each
 * commit. It holds only payments that this process opened or loaded. The owner of an address has it
 * on every EVM chain, so it is watched on all chains of its mode: money on the wrong chain is
 * recovered too.
 */
export class WatchIndex {
  readonly #chains: ReadonlyMap<string, WatchedChain>
  readonly #books = new Map([true, false].map((livemode) => [livemode, new AddressBook()] as const))
  readonly #watched = new Map<string, Watching>()
  readonly #tokens = new Map<string, Set<string>>()
  /** The last recorded sequence of each payment. */
  readonly #recorded = new Map<string, number>()

  constructor(chains: readonly FollowedChain[], policy: Policy) {
    const entries = chains.map(({ name, livemode }) => {
      const rule = policy.chains[name]
      assert(rule !== undefined, `the policy has a rule for ${name}`)
      return [name, new WatchedChain(rule, this.#bookOf(livemode))] as const
    })
    this.#chains = new Map(entries)
  }

  chains(): readonly string[] {
    return [...this.#chains.keys()]
  }

  /** Null for a chain that is not followed here. */
  chain(name: string): WatchedChain | null {
    return this.#chains.get(name) ?? null
  }

  /** Payments that are watched. */
  get size(): number {
    return this.#watched.size
  }

  /**
   * Loads all open payments, before the first block is requested. If the state of a payment cannot
   * be read, its addresses are watched, but its transactions are unknown.
   */
  async load(
    store: Pick<EventStore, 'watched' | 'unsettled' | 'paid' | 'load'>,
    unreadable?: Unreadable,
  ): Promise<void> {
    await store.watched((run) => {
      for (const payment of run) this.watch(payment.paymentId, payment)
    })
    const known = new Set<string>()
    for (const [name, chain] of this.#chains) {
      // May include payments that were opened, or watched again, since `watched` was read.
      for (const id of await store.unsettled(name)) known.add(id)
      if (!chain.wantsNative) continue
      // Includes final transfers: money paid long ago is still in the balance of its address.
      for (const id of await store.paid(name)) if (this.#takesNative(id, name)) known.add(id)
    }
    const ids = [...known]
    if (ids.length === 0) return
    const load = (from: number) =>
      store.load(paymentKind, ids.slice(from, from + pageMax), unreadable)
    let loading = load(0)
    for (let from = 0; from < ids.length; from += pageMax) {
      const page = await loading
      if (from + pageMax < ids.length) loading = load(from + pageMax)
      for (const payment of page) this.record(payment)
    }
  }

  /** Commits may have been missed: until they are read, no recorded sum is certain. */
  doubt(): void {
    for (const chain of this.#chains.values()) chain.nativeRecord.doubt()
  }

  /** Missed commits were read. */
  trust(): void {
    for (const chain of this.#chains.values()) chain.nativeRecord.trust()
  }

  /** Payments that are watched, oldest first. */
  get ids(): readonly string[] {
    return [...this.#watched.keys()]
  }

  /**
   * The tokens that payments watched here since the start may be paid in on a chain. Only grows.
   */
  tokens(chain: string): ReadonlySet<string> {
    return this.#tokens.get(chain) ?? new Set()
  }

  /** Whether money to this payment is looked for. */
  isWatched(paymentId: string): boolean {
    return this.#watched.has(paymentId)
  }

  /** The chains that a watched payment can be paid on; empty for any other payment. */
  acceptedChains(paymentId: string): readonly string[] {
    return [...new Set((this.#watched.get(paymentId)?.accept ?? []).map(({ chain }) => chain))]
  }

  /** Looks for money to this payment from now on. The returned function ends that. */
  watch(paymentId: string, { livemode, accept }: Watching): Stop {
    this.#watched.set(paymentId, { livemode, accept })
    const book = this.#bookOf(livemode)
    for (const { chain, address, token } of accept) {
      book.add(address, paymentId)
      if (token === null) this.#chains.get(chain)?.watchNative(paymentId, address)
      else this.#addToken(chain, token)
    }
    return () => this.release(paymentId)
  }

  #addToken(chain: string, token: string): void {
    const known = this.#tokens.get(chain)
    if (known === undefined) this.#tokens.set(chain, new Set([token]))
    else known.add(token)
  }

  release(paymentId: string): void {
    const watching = this.#watched.get(paymentId)
    if (watching === undefined) return
    const addresses = new Set(watching.accept.map(({ address }) => address))
    for (const address of addresses) this.#bookOf(watching.livemode).remove(address, paymentId)
    // Release on every chain, including those not accepted, where it may have been paid.
    for (const chain of this.#chains.values()) chain.release(paymentId, addresses)
    this.#watched.delete(paymentId)
    this.#recorded.delete(paymentId)
  }

  /**
   * Updates the index from a committed payment. A released payment is ignored, unless money that
   * was read before the release is still on its way: that is followed to its end. The parts of a
   * step may arrive out of order. An older state is ignored; else a mined payment would count as
   * pending, and would get no new heads.
   */
  record(payment: Payment): void {
    if (payment.sequence < (this.#recorded.get(payment.id) ?? 0)) return
    const transactions = openTransactions(payment)
    if (!this.#watched.has(payment.id)) {
      const moves = transactions.some(([{ chain }, open]) => this.#chains.get(chain)?.moves(open))
      if (!moves) return
      this.watch(payment.id, { livemode: payment.livemode, accept: payment.terms.accept })
    }
    this.#recorded.set(payment.id, payment.sequence)
    for (const [{ chain, txHash }, open] of transactions) {
      this.#chains.get(chain)?.record(payment.id, txHash, open)
    }
    for (const [name, chain] of this.#chains) {
      if (!this.#takesNative(payment.id, name)) continue
      chain.nativeRecord.keep(payment.id, nativeIncomes(payment, name))
    }
  }

  /** Whether money of this payment is on its way on any chain and not yet final. */
  isMoving(paymentId: string): boolean {
    return [...this.#chains.values()].some((chain) => chain.isMoving(paymentId))
  }

  #takesNative(paymentId: string, name: string): boolean {
    const accept = this.#watched.get(paymentId)?.accept ?? []
    return accept.some(({ chain, token }) => chain === name && token === null)
  }

  #bookOf(livemode: boolean): AddressBook {
    const book = this.#books.get(livemode)
    assert(book !== undefined, 'each mode has its addresses')
    return book
  }
}
