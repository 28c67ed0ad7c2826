import type { Denied, Included, SeenTransfer, Source } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import { findTransaction, smallIn, wordsOn } from '@settlewire/core/payment/transaction'
import type { Corroborated } from '../../ports/chain.ts'
import { leaveParts, sumsOf } from './noise.ts'
import { moneyIn } from './small-change.ts'

/** One provider's word on an inclusion: it shows the same, or denies it. */
export interface Word {
  readonly source: Source
  readonly inclusion: Corroborated
  readonly denies: boolean
}

/** When it is said, and of which chain. */
export interface Seen {
  readonly at: number
  readonly chain: string
  /** Of the last stored step. */
  readonly view: number
}

/** Of a sum that one provider has not shown whole, what it has shown so far. */
interface Part {
  readonly shown: Set<string>
  money: readonly SeenTransfer[]
}

/** Sums that are shown in part are remembered; of more the oldest is let go, which costs a flag and no money. */
const sumsMax = 1_000

/**
 * Other providers speak of the transactions of a block one by one, and small ones are on record as a
 * sum: one has shown the sum when what it has shown makes up the same number and the same money, and
 * it denies the sum when it denies any of it.
 */
export class SumWitnesses {
  readonly #parts = new Map<string, Part>()

  /** What a word adds to the sum of its block; null where that is nothing, or not yet. */
  factOf(
    payment: Payment,
    { source, inclusion: said, denies }: Word,
    seen: Seen,
  ): Included | Denied | 'later' | null {
    const { block } = said
    const txHash = smallIn(block.hash)
    const sum = findTransaction(payment.facts.transactions, { chain: seen.chain, txHash })
    const inclusion = sum?.inclusions[block.hash]
    if (sum === null || inclusion?.canonical !== true) return null
    const shown = leaveParts(payment, { ...seen, ...said, kind: 'included', source })
    const money = moneyIn(payment, shown)
    if (money.length === 0) return null
    const { sources, deniedBy } = wordsOn(sum, block.hash)
    const isDenied = deniedBy.includes(source)
    const key = `${payment.id} ${block.hash} ${source}`
    if (denies) {
      this.#parts.delete(key)
      const denied = { ...seen, kind: 'denied', source, txHash, blockHash: block.hash } as const
      return isDenied ? null : denied
    }
    if (sources.includes(source)) return null
    const part = this.#partOf(key)
    if (!part.shown.has(said.txHash)) {
      part.shown.add(said.txHash)
      part.money = sumsOf([...part.money, ...money], txHash)
    }
    if (!isSameMoney(part.money, inclusion.transfers)) return null
    // What a source denied it takes back at a later view.
    const deniedAt = sum.denials?.[block.hash]?.[source]
    if (isDenied && deniedAt !== undefined && deniedAt >= seen.view) return 'later'
    this.#parts.delete(key)
    const view = isDenied ? seen.view : inclusion.view
    return { ...shown, txHash, view, transfers: inclusion.transfers }
  }

  #partOf(key: string): Part {
    const known = this.#parts.get(key)
    if (known !== undefined) return known
    const part: Part = { shown: new Set(), money: [] }
    this.#parts.set(key, part)
    for (const oldest of this.#parts.keys()) {
      if (this.#parts.size <= sumsMax) break
      this.#parts.delete(oldest)
    }
    return part
  }
}

const isSameMoney = (a: readonly SeenTransfer[], b: readonly SeenTransfer[]): boolean =>
  a.length === b.length &&
  a.every((one) =>
    b.some(
      ({ part, amount, count }) =>
        part === one.part && amount === one.amount && count === one.count,
    ),
  )
