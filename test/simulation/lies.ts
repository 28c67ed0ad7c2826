import type { Payment } from '@settlewire/core/payment/payment'
import type { Chance } from './chance.ts'
import { bloomOf, type Entry, type ModelBlock, type ModelTx } from './model-block.ts'

/** What was said of one true block that is not so. */
export interface Lie {
  readonly block: ModelBlock
  readonly forged: readonly ModelTx[]
  readonly hidden: readonly ModelTx[]
}

export interface LiarParts {
  readonly chance: Chance
  /** Whom a forged payment may name. */
  readonly payees: () => readonly Payment[]
  /** A payment as it would be made, which no chain ever holds. */
  readonly forge: (payment: Payment) => Entry | null
}

/**
 * A node's lies about blocks that the others have, too: the same hash, with a payment that was never
 * made, or without one that was. It keeps to them until it takes them back.
 */
export class Liar {
  /** All that it ever said. */
  readonly lies = new Map<string, Lie>()
  readonly #parts: LiarParts
  /** As it shows them now. */
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

  /** Of what was paid in tokens; a balance that lies is another tale. */
  hide(block: ModelBlock): void {
    const paying = block.entries.filter(
      ({ tx }) => tx.moves.length > 0 && tx.moves.every(({ token }) => token !== null),
    )
    if (paying.length === 0 || this.lies.has(block.hash)) return
    const { tx } = this.#parts.chance.pick(paying)
    this.#tell({ block, forged: [], hidden: [tx] })
  }

  /** From now on it says what everybody says: of all, or of what it hides. */
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
