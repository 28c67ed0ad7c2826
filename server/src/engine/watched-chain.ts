import type { Transaction } from '@settlewire/core/payment'
import { type ChainHead, type ChainPolicy, reached } from '@settlewire/core/policy'
import { canonicalInclusion } from '@settlewire/core/transfer'
import type { OpenSlot, WatchSet } from '../ports.ts'

/** A transaction whose fate is not settled. */
interface Open {
  /** The canonical block that holds it, or null while none does. */
  readonly blockNumber: number | null
  /** Whether money is on its way: in a block, or in the mempool. */
  readonly live: boolean
}

/** Not on record yet, and perhaps never: nothing waits for it. */
const expected: Open = { blockNumber: null, live: false }

/**
 * What is looked for on one chain: deposit addresses, and the transactions known of that are not
 * final. Every change costs the same whether ten or a hundred thousand addresses are watched.
 */
export class WatchedChain implements WatchSet {
  readonly #policy: ChainPolicy
  readonly #addresses = new Map<string, string>()
  readonly #native = new Set<string>()
  /** By payment, then by hash. */
  readonly #open = new Map<string, Map<string, Open>>()
  readonly #trackers = new Map<string, Set<string>>()
  #head: ChainHead | null = null

  constructor(policy: ChainPolicy) {
    this.#policy = policy
  }

  has(address: string): boolean {
    return this.#addresses.has(address)
  }

  get wantsNative(): boolean {
    return this.#native.size > 0
  }

  tracks(txHash: string): boolean {
    return this.#trackers.has(txHash)
  }

  wantsSlot(_sender: string, _nonce: number): boolean {
    return false
  }

  openSlots(): Iterable<OpenSlot> {
    return []
  }

  nativeAddresses(): Iterable<string> {
    return []
  }

  get size(): number {
    return this.#addresses.size
  }

  /** The payment that an address belongs to. */
  payee(address: string): string | null {
    return this.#addresses.get(address) ?? null
  }

  /** The payments that know of a transaction. */
  trackers(txHash: string): Iterable<string> {
    return this.#trackers.get(txHash) ?? []
  }

  /** The payments with a transaction that is not final: each block changes something for them. */
  unsettled(): readonly string[] {
    return [...this.#open.keys()]
  }

  /** Whether money of this payment is on its way and not yet final. */
  isMoving(paymentId: string): boolean {
    const open = this.#open.get(paymentId)
    return open !== undefined && [...open.values()].some((transaction) => transaction.live)
  }

  watch(paymentId: string, address: string, native: boolean): void {
    this.#addresses.set(address, paymentId)
    if (native) this.#native.add(paymentId)
  }

  /** Forgets an address of the payment and every transaction of it. */
  release(paymentId: string, address: string): void {
    if (this.#addresses.get(address) === paymentId) this.#addresses.delete(address)
    this.#native.delete(paymentId)
    for (const txHash of this.#open.get(paymentId)?.keys() ?? []) this.#close(paymentId, txHash)
  }

  /** A transaction is about to be on record: a block that holds it may come before the record does. */
  expect(paymentId: string, txHash: string): void {
    if (!this.#open.get(paymentId)?.has(txHash)) this.#track(paymentId, txHash, expected)
  }

  /** What is now on record of a transaction. */
  record(paymentId: string, transaction: Transaction): void {
    const inclusion = canonicalInclusion(transaction)
    const blockNumber = inclusion?.block?.number ?? null
    const live =
      inclusion === null ? transaction.mempool?.known === true : inclusion.outcome === 'paid'
    if (this.#isFinal(blockNumber)) this.#close(paymentId, transaction.txHash)
    else this.#track(paymentId, transaction.txHash, { blockNumber, live })
  }

  /** The chain has grown, and everything that it changed is on record: what is final is let go. */
  advance(head: ChainHead): void {
    this.#head = head
    for (const [paymentId, transactions] of this.#open) {
      for (const [txHash, { blockNumber }] of transactions) {
        if (this.#isFinal(blockNumber)) this.#close(paymentId, txHash)
      }
    }
  }

  #isFinal(blockNumber: number | null): boolean {
    const head = this.#head
    return blockNumber !== null && head !== null && reached(this.#policy.final, blockNumber, head)
  }

  #track(paymentId: string, txHash: string, open: Open): void {
    entry(this.#open, paymentId, () => new Map<string, Open>()).set(txHash, open)
    entry(this.#trackers, txHash, () => new Set<string>()).add(paymentId)
  }

  #close(paymentId: string, txHash: string): void {
    const transactions = this.#open.get(paymentId)
    transactions?.delete(txHash)
    if (transactions?.size === 0) this.#open.delete(paymentId)
    const trackers = this.#trackers.get(txHash)
    trackers?.delete(paymentId)
    if (trackers?.size === 0) this.#trackers.delete(txHash)
  }
}

/** The value under a key, made when there is none. */
function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
