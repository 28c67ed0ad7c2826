import type { Denied, Included, SeenTransfer, Source } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import { findTransaction, smallIn, wordsOn } from '@settlewire/core/payment/transaction'
import type { Corroborated } from '../../ports/chain.ts'
import { leaveParts, sumsOf } from './noise.ts'
import { moneyIn } from './small-change.ts'

/** One provider's report on an inclusion: it shows the same inclusion, or denies it. */
export interface ProviderReport {
  readonly source: Source
  readonly inclusion: Corroborated
  readonly denies: boolean
}

/** When a report came, and about which chain. */
export interface ReportOrigin {
  readonly at: number
  readonly chain: string
  /** The view of the last stored step. */
  readonly view: number
}

/** What one provider has shown so far of a sum that it has not shown completely. */
interface SumPart {
  readonly shown: Set<string>
  money: readonly SeenTransfer[]
}

/** How many partly shown sums are remembered. Dropping the oldest costs a flag, no money. */
const sumsMax = 1_000

/**
 * Counts providers for sums. They report the transactions of a block one by one, while small ones
 * are recorded as a sum. A provider has shown the sum when its transactions have the same number
 * and amount, and it denies the sum when it denies any of them.
 */
export class SumWitnesses {
  readonly #parts = new Map<string, SumPart>()

  /** The fact that a report adds to the sum of its block; null where it adds none, or not yet. */
  factOf(
    payment: Payment,
    { source, inclusion: said, denies }: ProviderReport,
    seen: ReportOrigin,
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
    // A source can take back its denial only at a later view.
    const deniedAt = sum.denials?.[block.hash]?.[source]
    if (isDenied && deniedAt !== undefined && deniedAt >= seen.view) return 'later'
    this.#parts.delete(key)
    const view = isDenied ? seen.view : inclusion.view
    return { ...shown, txHash, view, transfers: inclusion.transfers }
  }

  #partOf(key: string): SumPart {
    const known = this.#parts.get(key)
    if (known !== undefined) return known
    const part: SumPart = { shown: new Set(), money: [] }
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
