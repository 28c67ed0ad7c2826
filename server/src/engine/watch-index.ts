import { assert } from '@settlewire/core/assert'
import type { Acceptance, Payment } from '@settlewire/core/payment'
import type { Policy } from '@settlewire/core/policy'
import type { EventStore, Stop } from '../ports.ts'
import { WatchedChain } from './watched-chain.ts'

const pageMax = 1_000

/**
 * What this process looks for on its chains: loaded from the store once, then kept current by each
 * commit. Only payments that it opened or loaded are in it.
 */
export class WatchIndex {
  readonly #chains: ReadonlyMap<string, WatchedChain>
  readonly #watched = new Map<string, readonly Acceptance[]>()

  constructor(chains: readonly string[], policy: Policy) {
    const entries = chains.map((chain) => {
      const rule = policy.chains[chain]
      assert(rule !== undefined, `the policy has a rule for ${chain}`)
      return [chain, new WatchedChain(rule)] as const
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

  /** Everything the store knows to be open, in pages. Before the first block is asked for. */
  async load(store: Pick<EventStore, 'watched' | 'unsettled' | 'load'>): Promise<void> {
    for (let after = '', last = ''; ; after = last) {
      const page = await store.watched(after, pageMax)
      for (const { paymentId, accept } of page) this.watch(paymentId, accept)
      last = page.at(-1)?.paymentId ?? ''
      if (page.length < pageMax) break
    }
    const unsettled = new Set<string>()
    for (const chain of this.#chains.keys()) {
      for (const id of await store.unsettled(chain)) {
        if (this.#watched.has(id)) unsettled.add(id)
      }
    }
    const ids = [...unsettled]
    for (let i = 0; i < ids.length; i += pageMax) {
      for (const payment of await store.load(ids.slice(i, i + pageMax))) this.record(payment)
    }
  }

  /** Whether money to this payment is seen. */
  isWatched(paymentId: string): boolean {
    return this.#watched.has(paymentId)
  }

  /** Whether another open payment is paid at one of these addresses. */
  isTaken(address: string): boolean {
    return [...this.#chains.values()].some((chain) => chain.has(address))
  }

  /** From now on money to this payment is seen. The returned function forgets it again. */
  watch(paymentId: string, accept: readonly Acceptance[]): Stop {
    this.#watched.set(paymentId, accept)
    for (const { chain, address, token } of accept) {
      this.#chains.get(chain)?.watch(paymentId, address, token === null)
    }
    return () => this.release(paymentId)
  }

  release(paymentId: string): void {
    for (const { chain, address } of this.#watched.get(paymentId) ?? []) {
      this.#chains.get(chain)?.release(paymentId, address)
    }
    this.#watched.delete(paymentId)
  }

  /** Takes up what was committed of a payment's transactions; once it is released they are history. */
  record(payment: Payment): void {
    if (!this.#watched.has(payment.id)) return
    for (const transaction of payment.facts.transactions) {
      this.#chains.get(transaction.chain)?.record(payment.id, transaction)
    }
  }

  /** Whether money of this payment is on its way on any chain and not yet final. */
  isMoving(paymentId: string): boolean {
    return [...this.#chains.values()].some((chain) => chain.isMoving(paymentId))
  }
}
