import type { Contest } from '@settlewire/core/payment/observation'
import type { ChainHead } from '@settlewire/core/payment/policy'
import type { Corroborated } from '../../ports/chain.ts'

/** A transaction whose outcome is not settled, from the view of one payment. */
export interface Open {
  /** The canonical block that decides its outcome, or null while no block does. */
  readonly blockNumber: number | null
  /** Whether it has money on its way: in a block, or in the mempool. */
  readonly live: boolean
  /** Whether the payment still waits for something else, however deep the block is. */
  readonly held: boolean
  /** Whether a source denies it. If so, reports about it are accepted until the watch ends. */
  readonly denied: boolean
  /** Whether its payment has succeeded. */
  readonly succeeded: boolean
  /**
   * The chain's head as the payment has it on record, for a payment that several chains can pay: a
   * head that changes nothing now may matter once another chain brings the rest. Null: one chain.
   */
  readonly knownTo: ChainHead | null
  /** Null while no node has shown it. */
  readonly contest: Contest | null
  /** Whether the payer claimed it, and no node has shown it. */
  readonly claimed: boolean
  /** What a canonical block holds of it for this payment; null while no block does. */
  readonly paid: Corroborated | null
}

/** A transaction, and the payment that tracks it. */
interface TrackedTransaction {
  readonly paymentId: string
  readonly txHash: string
}

type Entries = Map<Open, TrackedTransaction>

/**
 * The open transactions in blocks, sorted by what a new head may change. After success only the
 * block's depth matters, so the transactions of one block are checked together; all others are
 * checked with every head.
 */
export class OpenInBlocks {
  readonly #quiet = new Map<number, Entries>()
  readonly #restless: Entries = new Map()

  add(open: Open, known: TrackedTransaction): void {
    const { blockNumber } = open
    if (blockNumber === null) return
    if (!isQuiet(open)) {
      this.#restless.set(open, known)
      return
    }
    const entries = this.#quiet.get(blockNumber) ?? new Map()
    entries.set(open, known)
    this.#quiet.set(blockNumber, entries)
  }

  remove(open: Open): void {
    const { blockNumber } = open
    if (blockNumber === null || this.#restless.delete(open)) return
    const entries = this.#quiet.get(blockNumber)
    entries?.delete(open)
    if (entries?.size === 0) this.#quiet.delete(blockNumber)
  }

  /** The transactions that are checked with every head, if the condition holds for them. */
  *restless(holds: (open: Open) => boolean): Iterable<TrackedTransaction> {
    for (const [open, known] of this.#restless) if (holds(open)) yield known
  }

  /** The transactions of succeeded payments in blocks for which the condition holds. */
  *quiet(holds: (blockNumber: number) => boolean): Iterable<TrackedTransaction> {
    for (const [blockNumber, entries] of this.#quiet) {
      if (holds(blockNumber)) yield* entries.values()
    }
  }
}

/** Whether only the depth of its block can still change the payment. */
const isQuiet = ({ succeeded, knownTo, held, denied }: Open): boolean =>
  succeeded && knownTo === null && !held && !denied
