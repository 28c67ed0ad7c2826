import type { Payment } from '@settlewire/core/payment/payment'
import type { Chance } from './chance.ts'
import { bloomOf, type Entry, type ModelBlock, type ModelTx } from './model-block.ts'

/** A node's false claims about one true block. */
export interface Lie {
  readonly block: ModelBlock
  readonly forged: readonly ModelTx[]
  readonly hidden: readonly ModelTx[]
}

export interface LiarParts {
  readonly chance: Chance
  /** The payments that a forged transaction may pay. */
  readonly payees: () => readonly Payment[]
  /** Makes a transaction to a payment that no chain ever holds. */
  readonly forge: (payment: Payment) => Entry | null
}

/**
 * A node's lies about blocks that other nodes have too: under the same hash it adds a payment that
 * was never made, or leaves out a real one. It repeats them until it recants.
 */
export class Liar {
  /** All lies so far, by block hash. */
  readonly lies = new Map<string, Lie>()
  readonly #parts: LiarParts
  /** Blocks as the node shows them now. */
  readonly #shown = new Map<ModelBlock, ModelBlock>()

  constructor(parts: LiarParts) {
    this.#parts = parts
  }

  shown(block: ModelBlock): ModelBlock {
    return this.#shown.get(block) ?? block
  }

  hides(block: ModelBlock, txHash: string): boolean {
    if (!this.#shown.has(block)) return false
    return this.lies.get(block.hash)?.hidden.some(({ hash }) => hash === txHash) ?? false
  }

  forge(block: ModelBlock): void {
    const payees = this.#parts.payees()
    if (payees.length === 0 || this.lies.has(block.hash)) return
    const entry = this.#parts.forge(this.#parts.chance.pick(payees))
    if (entry !== null) this.#tell({ block, forged: [entry.tx], hidden: [] })
  }

  /** Hides a token payment. Lies about native balances are not modelled. */
  hide(block: ModelBlock): void {
    const paying = block.entries.filter(
      ({ tx }) => tx.moves.length > 0 && tx.moves.every(({ token }) => token !== null),
    )
    if (paying.length === 0 || this.lies.has(block.hash)) return
    const { tx } = this.#parts.chance.pick(paying)
    this.#tell({ block, forged: [], hidden: [tx] })
  }

  /** From now on it shows true blocks: all of them, or those in which it hid something. */
  recant(what: 'all' | 'hidden' = 'all'): void {
    for (const block of [...this.#shown.keys()]) {
      const { hidden = [] } = this.lies.get(block.hash) ?? {}
      if (what === 'all' || hidden.length > 0) this.#shown.delete(block)
    }
  }

  #tell(lie: Lie): void {
    const { block, forged, hidden } = lie
    this.lies.set(block.hash, lie)
    const entries = [
      ...block.entries.filter(({ tx }) => !hidden.includes(tx)),
      ...forged.map((tx) => ({ tx, reverts: false })),
    ]
    this.#shown.set(block, { ...block, entries, logsBloom: bloomOf(entries) })
  }
}
