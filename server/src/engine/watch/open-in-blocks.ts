import type { Contest } from '@settlewire/core/payment/observation'
import type { ChainHead } from '@settlewire/core/payment/policy'
import type { Corroborated } from '../../ports/chain.ts'

/** A transaction whose fate is not settled, as one payment knows it. */
export interface Open {
  /** The canonical block that decides its fate, or null while none does. */
  readonly blockNumber: number | null
  /** Whether money is on its way: in a block, or in the mempool. */
  readonly live: boolean
  /** Whether the payment still waits for something, however deep the block is. */
  readonly held: boolean
  /** Whether a source denies it: what is said of it is listened to until the watch ends. */
  readonly denied: boolean
  /** Whether its payment has succeeded. */
  readonly told: boolean
  /**
   * How far the chain has grown as the payment has it on record, where it can be paid on several: what
   * one of them tells nothing of now may be told once another has brought the rest. Null: it cannot.
   */
  readonly knownTo: ChainHead | null
  /** Null while no node has shown it. */
  readonly contest: Contest | null
  /** Whether the payer named it, and nothing else is known of it. */
  readonly claimed: boolean
  /** What a canonical block holds of it for this payment; null while none does. */
  readonly paid: Corroborated | null
}

/** A transaction in a block, and the payment that knows it. */
interface Known {
  readonly paymentId: string
  readonly txHash: string
}

type Entries = Map<Open, Known>

/**
 * The open transactions that are in blocks, by what a new head may change of them. After success only
 * the depth of the block decides, so those of one block are looked at together; each other one is
 * looked at with every head.
 */
export class OpenInBlocks {
  readonly #quiet = new Map<number, Entries>()
  readonly #restless: Entries = new Map()

  add(open: Open, known: Known): void {
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

  /** The payments with a transaction that is looked at with every head, and that this holds for. */
  *restless(holds: (open: Open) => boolean): Iterable<Known> {
    for (const [open, known] of this.#restless) if (holds(open)) yield known
  }

  /** Those of the blocks that this holds for, whose payments have succeeded. */
  *quiet(holds: (blockNumber: number) => boolean): Iterable<Known> {
    for (const [blockNumber, entries] of this.#quiet) {
      if (holds(blockNumber)) yield* entries.values()
    }
  }
}

/** Whether only the depth of its block can still change its payment. */
const isQuiet = ({ told, knownTo, held, denied }: Open): boolean =>
  told && knownTo === null && !held && !denied
