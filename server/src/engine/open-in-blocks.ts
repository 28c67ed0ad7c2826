import type { Open } from './watched-chain.ts'

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

/** Whether nothing but the depth of its block is told of it any more. */
const isQuiet = ({ told, knownTo, held }: Open): boolean => told && knownTo === null && !held
