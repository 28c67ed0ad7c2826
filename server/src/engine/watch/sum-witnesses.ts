import type { Denied, Included, SeenTransfer, Source } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import {
  findTransaction,
  smallIn,
  wordsOn as sourcesOf,
} from '@settlewire/core/payment/transaction'
import type { Corroborated } from '../../ports/chain.ts'
import { sumsOf, sumUpRest } from './noise.ts'
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

/**
 * How many partly shown sums are remembered. If the oldest is dropped, that provider is not counted
 * for the sum. The money still counts.
 */
const sumsMax = 1_000

/**
 * A payment stores many small transfers of one block as one sum. Providers report the transactions
 * one by one. This class adds up the reports of each provider: a provider confirms the sum when its
 * transactions have the same number and amount, and denies it when it denies one of them.
 */
export class SumWitnesses {
  readonly #parts = new Map<string, SumPart>()

  /**
   * The fact that a report adds to the sum of its block; null where it adds none, or not yet.
   * `later`: the report must wait for the next step.
   */
  factOf(
    payment: Payment,
    { source, inclusion: reported, denies }: ProviderReport,
    origin: ReportOrigin,
  ): Included | Denied | 'later' | null {
    const { block } = reported
    const { chain } = origin
    const sumKey = smallIn(block.hash)
    const sum = findTransaction(payment.facts.transactions, { chain, txHash: sumKey })
    const inclusion = sum?.inclusions[block.hash]
    if (sum === null || inclusion?.canonical !== true) return null
    const shown = sumUpRest(payment, { ...origin, ...reported, kind: 'included', source })
    const money = moneyIn(payment, shown)
    if (money.length === 0) return null
    const { sources, deniedBy } = sourcesOf(sum, block.hash)
    const deniesAlready = deniedBy.includes(source)
    const key = `${payment.id} ${block.hash} ${source}`
    if (denies) {
      this.#parts.delete(key)
      const blockHash = block.hash
      const denied = { ...origin, kind: 'denied', source, txHash: sumKey, blockHash } as const
      return deniesAlready ? null : denied
    }
    if (sources.includes(source)) return null
    const part = this.#partOf(key)
    if (!part.shown.has(reported.txHash)) {
      part.shown.add(reported.txHash)
      part.money = sumsOf([...part.money, ...money], sumKey)
    }
    if (!isSameMoney(part.money, inclusion.transfers)) return null
    // Use the view of the recorded inclusion, so that a reorg with a later view still wins. Only
    // taking back a denial needs a later view.
    const deniedAt = sum.denials?.[block.hash]?.[source]
    if (deniesAlready && deniedAt !== undefined && deniedAt >= origin.view) return 'later'
    this.#parts.delete(key)
    const view = deniesAlready ? origin.view : inclusion.view
    return { ...shown, txHash: sumKey, view, transfers: inclusion.transfers }
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
