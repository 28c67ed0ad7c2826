import type { Contest } from '@settlewire/core/payment/observation'
import {
  type ChainHead,
  type ChainPolicy,
  type Level,
  reached,
} from '@settlewire/core/payment/policy'
import type { Corroborated, OpenContest, WatchSet } from '../../ports/chain.ts'
import type { AddressBook } from './address-book.ts'
import { NativeRecord } from './native-record.ts'
import { type Open, OpenInBlocks } from './open-in-blocks.ts'

/** The state of a transaction that may be recorded in a moment, or never: nothing waits for it. */
const expected: Open = {
  blockNumber: null,
  live: false,
  held: false,
  denied: false,
  succeeded: false,
  contest: null,
  claimed: false,
  paid: null,
  knownTo: null,
}

/** How many transactions one head may close; the following heads close the rest. */
const closedPerHeadMax = 2_000

/** A claimed transaction of a payment. */
interface NewClaim {
  readonly paymentId: string
  readonly txHash: string
}

/** A pending transaction with a contest, and the payments that it concerns. */
interface ContestedTransaction {
  readonly openContest: OpenContest
  /** How many payments it concerns, and for how many of them its money is on its way. */
  count: number
  live: number
}

/**
 * What is looked for on one chain: deposit addresses, and their known transactions that are not
 * final. The cost of a change does not depend on how many addresses are watched, up to 100,000 and
 * more.
 */
export class WatchedChain implements WatchSet {
  readonly #policy: ChainPolicy
  readonly #addresses: AddressBook
  /** Address to payment, in the order of opening. */
  readonly #native = new Map<string, string>()
  /** The native coin's income of the payments that accept it here. */
  readonly nativeRecord = new NativeRecord()
  /** By payment, then by hash. */
  readonly #open = new Map<string, Map<string, Open>>()
  readonly #inBlocks = new OpenInBlocks()
  readonly #trackers = new Map<string, Set<string>>()
  readonly #waiting = new Map<string, ContestedTransaction>()
  /** The hashes that contend under one key. */
  readonly #contests = new Map<string, Set<string>>()
  readonly #newClaims: NewClaim[] = []
  #head: ChainHead | null = null
  /** How many transactions have ever been tracked. */
  #tracked = 0

  constructor(policy: ChainPolicy, addresses: AddressBook) {
    this.#policy = policy
    this.#addresses = addresses
  }

  has(address: string): boolean {
    return this.#addresses.has(address)
  }

  mayHold(text: string): boolean {
    return this.#addresses.mayHold(text)
  }

  get joined(): number {
    return this.#addresses.joined + this.#tracked
  }

  get wantsNative(): boolean {
    return this.#native.size > 0
  }

  tracks(txHash: string): boolean {
    return this.#trackers.has(txHash)
  }

  hasRival(key: string): boolean {
    return this.#contests.has(key)
  }

  /** Transactions with money on its way come first, because the follower may ask for a few only. */
  *openContests(): Iterable<OpenContest> {
    for (const { openContest, live } of this.#waiting.values()) if (live > 0) yield openContest
    for (const { openContest, live } of this.#waiting.values()) if (live === 0) yield openContest
  }

  *expected(): Iterable<string> {
    for (const txHash of this.#trackers.keys()) if (this.expects(txHash)) yield txHash
  }

  expects(txHash: string): boolean {
    return [...this.trackers(txHash)].some((paymentId) => {
      const open = this.#open.get(paymentId)?.get(txHash)
      return open?.live === true && open.blockNumber === null
    })
  }

  nativeAddresses(): Iterable<string> {
    return this.#native.keys()
  }

  nativeOnRecord(address: string, throughBlock: number): bigint | null {
    const paymentId = this.#native.get(address)
    if (paymentId === undefined) return 0n
    // For blocks beyond our head, another process may have recorded more than we know.
    if (this.#head === null || throughBlock > this.#head.head) return null
    return this.nativeRecord.through(throughBlock, paymentId, address)
  }

  /** The payment that an address belongs to. */
  payee(address: string): string | null {
    return this.#addresses.payee(address)
  }

  /** The payments that track a transaction. */
  trackers(txHash: string): Iterable<string> {
    return this.#trackers.get(txHash) ?? []
  }

  /** The payments that track another pending transaction of this contest. */
  contenders({ key }: Pick<Contest, 'key'>, besides: string): ReadonlySet<string> {
    const payments = new Set<string>()
    for (const txHash of this.#contests.get(key) ?? []) {
      if (txHash === besides) continue
      for (const paymentId of this.trackers(txHash)) payments.add(paymentId)
    }
    return payments
  }

  /** The payments with a transaction that is not final. */
  unsettled(): readonly string[] {
    return [...this.#open.keys()]
  }

  /**
   * The unsettled payments for which this head makes an event; the others need not be loaded.
   * Pending transactions have no depth, and after success only `safe` and the final level matter.
   */
  movedBy(head: ChainHead): readonly string[] {
    const from = this.#head
    const isOther =
      from === null ||
      from.head > head.head ||
      (from.disagree ?? false) !== (head.disagree ?? false)
    if (isOther) return this.unsettled()
    const moved = new Set<string>()
    const isMoved = ({ blockNumber, succeeded, knownTo }: Open): boolean =>
      !succeeded || (blockNumber !== null && this.#isPassed(blockNumber, knownTo ?? from, head))
    for (const { paymentId } of this.#inBlocks.restless(isMoved)) moved.add(paymentId)
    const isPassed = (block: number): boolean => this.#isPassed(block, from, head)
    for (const { paymentId } of this.#inBlocks.quiet(isPassed)) moved.add(paymentId)
    return [...moved]
  }

  #isPassed(block: number, from: ChainHead, to: ChainHead): boolean {
    const levels: Level[] = ['safe', this.#policy.final]
    return levels.some((level) => reached(level, block, to) && !reached(level, block, from))
  }

  /** A transaction that pays several payments is one inclusion. */
  inclusions(): Iterable<Corroborated> {
    const inclusions = new Map<string, Corroborated>()
    for (const transactions of this.#open.values()) {
      for (const { paid } of transactions.values()) {
        if (paid === null) continue
        const key = `${paid.block.hash} ${paid.txHash}`
        const { transfers = [] } = inclusions.get(key) ?? {}
        inclusions.set(key, { ...paid, transfers: [...transfers, ...paid.transfers] })
      }
    }
    return inclusions.values()
  }

  /** Whether money of this payment is on its way and not yet final. */
  isMoving(paymentId: string): boolean {
    const open = this.#open.get(paymentId)
    return open !== undefined && [...open.values()].some((transaction) => this.moves(transaction))
  }

  /** Whether a payer claimed it for this payment, and no node has shown it. */
  isClaimed(paymentId: string, txHash: string): boolean {
    return this.#open.get(paymentId)?.get(txHash)?.claimed === true
  }

  /** The claims recorded since the last call, in order. */
  takeNewClaims(): readonly NewClaim[] {
    return this.#newClaims.splice(0)
  }

  /** From now on the native coin counts at this address. */
  watchNative(paymentId: string, address: string): void {
    this.#native.set(address, paymentId)
  }

  /** Forgets every transaction of a payment, and its addresses for the native coin. */
  release(paymentId: string, addresses: Iterable<string>): void {
    for (const address of addresses) {
      if (this.#native.get(address) === paymentId) this.#native.delete(address)
    }
    this.nativeRecord.forget(paymentId)
    for (const txHash of this.#open.get(paymentId)?.keys() ?? []) this.#close(paymentId, txHash)
  }

  /** A transaction is about to be recorded: a block with it may be read before that commits. */
  expect(paymentId: string, txHash: string): void {
    if (!this.#open.get(paymentId)?.has(txHash)) this.#track(paymentId, txHash, expected)
  }

  /** The transaction was not recorded after all. */
  unexpect(paymentId: string, txHash: string): void {
    if (this.#open.get(paymentId)?.get(txHash) === expected) this.#close(paymentId, txHash)
  }

  /** Takes the recorded state of a transaction. */
  record(paymentId: string, txHash: string, open: Open): void {
    if (this.#isOver(open)) this.#close(paymentId, txHash)
    else this.#track(paymentId, txHash, open)
  }

  /** Whether its money is on its way, and not yet final. */
  moves(open: Open): boolean {
    return open.live && (open.held || !this.#isFinal(open, this.#head))
  }

  /** The chain has grown, and all effects are recorded: closes the transactions that are final. */
  advance(head: ChainHead): void {
    this.#head = head
    const isOver = (open: Open): boolean => this.#isOver(open)
    const isFinal = (block: number): boolean => reached(this.#policy.final, block, head)
    let left = closedPerHeadMax
    for (const over of [this.#inBlocks.restless(isOver), this.#inBlocks.quiet(isFinal)]) {
      for (const { paymentId, txHash } of over) {
        if (left-- === 0) return
        this.#close(paymentId, txHash)
      }
    }
  }

  #isOver(open: Open): boolean {
    const head = this.#head
    return (
      !open.held &&
      !open.denied &&
      this.#isFinal(open, head) &&
      this.#isFinal(open, open.knownTo ?? head)
    )
  }

  #isFinal({ blockNumber }: Open, head: ChainHead | null): boolean {
    return blockNumber !== null && head !== null && reached(this.#policy.final, blockNumber, head)
  }

  #track(paymentId: string, txHash: string, open: Open): void {
    const transactions = entry(this.#open, paymentId, () => new Map<string, Open>())
    const before = transactions.get(txHash)
    this.#count(txHash, before, -1)
    this.#count(txHash, open, 1)
    if (before !== undefined) this.#inBlocks.remove(before)
    this.#inBlocks.add(open, { paymentId, txHash })
    if (open.claimed && before?.claimed !== true) {
      this.#newClaims.push({ paymentId, txHash })
    }
    transactions.set(txHash, open)
    if (!this.#trackers.has(txHash)) this.#tracked++
    entry(this.#trackers, txHash, () => new Set<string>()).add(paymentId)
  }

  #close(paymentId: string, txHash: string): void {
    const transactions = this.#open.get(paymentId)
    const open = transactions?.get(txHash)
    this.#count(txHash, open, -1)
    if (open !== undefined) this.#inBlocks.remove(open)
    transactions?.delete(txHash)
    if (transactions?.size === 0) this.#open.delete(paymentId)
    const trackers = this.#trackers.get(txHash)
    trackers?.delete(paymentId)
    if (trackers?.size === 0) this.#trackers.delete(txHash)
  }

  /** Counts one payment more, or one less, for the contest of this transaction. */
  #count(txHash: string, open: Open | undefined, by: 1 | -1): void {
    if (open === undefined || open.contest === null || open.blockNumber !== null) return
    const { key } = open.contest
    const waiting = entry(this.#waiting, txHash, () => ({
      openContest: { txHash, key },
      count: 0,
      live: 0,
    }))
    waiting.count += by
    if (open.live) waiting.live += by
    if (waiting.count > 0) {
      entry(this.#contests, key, () => new Set<string>()).add(txHash)
      return
    }
    this.#waiting.delete(txHash)
    const hashes = this.#contests.get(key)
    hashes?.delete(txHash)
    if (hashes?.size === 0) this.#contests.delete(key)
  }
}

/** The value under a key, which is made if it is missing. */
function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
