import type { Denied, Included } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import type { ChainHead } from '@settlewire/core/payment/policy'
import { findTransaction, wordsOn as sourcesOf } from '@settlewire/core/payment/transaction'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import { type Judge, newerHeads, observe } from '../payment/observe.ts'
import { readable } from '../write/draft.ts'
import type { SomeWriter } from '../write/fenced-writer.ts'
import { sumUpRest } from './noise.ts'
import { inclusionKeyOf, keyOf, type NumberedReport, ReportQueue } from './report-queue.ts'
import { type ProviderReport, type ReportOrigin, SumWitnesses } from './sum-witnesses.ts'
import type { WatchIndex } from './watch-index.ts'

export interface CorroborationsOptions extends Judge {
  readonly clock: Pick<Clock, 'now' | 'random'>
  /** The writer for reports about a chain, under the lease by which this process follows it. */
  readonly writerOf: (chain: string) => Pick<SomeWriter, 'submit'>
  readonly index: WatchIndex
  readonly log: Log
  /** The head of a chain as of the last stored step. */
  readonly headOf: (chain: string) => ChainHead | null
}

/**
 * How often one source may take back its denial of one inclusion; after that its denial stays. A
 * node that changes its answer with each block would otherwise add events as long as the payment is
 * watched.
 */
const changesMax = 8
const rememberedMax = 10_000

/**
 * Records what further providers report about an inclusion. A denial is always recorded. A
 * confirmation is recorded only while the quorum is not reached or another provider denies the
 * inclusion. Only inclusions recorded as canonical take part: another provider's report alone adds
 * no money.
 */
export class Corroborations {
  readonly #options: CorroborationsOptions
  readonly #queue = new ReportQueue()
  /** Reports of the current turn of the event loop, per chain. */
  readonly #received = new Map<string, ProviderReport[]>()
  readonly #sums = new SumWitnesses()
  /** How often each source took back a denial, by inclusion and source. */
  readonly #changes = new LRUCache<string, number>({
    // Limited by `maxSize`: with `max`, the cache would allocate all entries at once.
    maxSize: rememberedMax,
    sizeCalculation: () => 1,
  })

  constructor(options: CorroborationsOptions) {
    this.#options = options
  }

  /**
   * Records all reports of one event-loop turn together. If one provider denies what it showed,
   * providers that still show it are recorded in the same commit, so the money never disappears for
   * a moment.
   */
  receive(chain: string, reports: readonly ProviderReport[]): void {
    const received = this.#received.get(chain)
    if (received !== undefined) {
      received.push(...reports)
      return
    }
    this.#received.set(chain, [...reports])
    queueMicrotask(() => {
      const all = this.#received.get(chain) ?? []
      this.#received.delete(chain)
      void this.take(chain, all)
    })
  }

  /**
   * Never rejects. Reports that cannot be recorded now are tried again with the chain's next step.
   */
  take(chain: string, reports: readonly ProviderReport[]): Promise<void> {
    return this.#try(chain, this.#queue.number(reports))
  }

  async #try(chain: string, reports: readonly NumberedReport[]): Promise<void> {
    const { headOf, log } = this.#options
    const head = headOf(chain)?.head ?? -1
    // A report about a block that is not stored yet waits.
    const mustWait = ({ inclusion }: NumberedReport): boolean => inclusion.block.number > head
    const ready = this.#queue.send(chain, reports, mustWait)
    if (ready.length === 0) return
    try {
      this.#queue.answered(chain, ready, await this.#record(chain, ready))
    } catch (error) {
      log.warn(
        { chain, error },
        'reports of further providers were not recorded; trying again with the next step',
      )
      this.#queue.answered(chain, ready, ready)
    }
  }

  /** A step of this chain was stored. */
  async advanced(chain: string): Promise<void> {
    // In order, one at a time: a source's later report takes back its earlier one.
    for (const report of this.#queue.drain(chain)) {
      if (this.#queue.release(report)) await this.#try(chain, [report])
    }
  }

  /** Another process follows the chain now: drop the waiting reports, which are too old by now. */
  forget(chain: string): void {
    for (const report of this.#queue.drain(chain)) this.#queue.release(report)
    this.#received.delete(chain)
  }

  /** Resolves to the reports that must wait for the next step. */
  async #record(
    chain: string,
    reports: readonly NumberedReport[],
  ): Promise<readonly NumberedReport[]> {
    const { writerOf, clock, headOf } = this.#options
    const byPayment = this.#groupByPayment(chain, reports)
    if (byPayment.size === 0) return []
    const origin = { at: clock.now(), chain, view: headOf(chain)?.view ?? 0 }
    return writerOf(chain).submit({
      ids: [...byPayment.keys()],
      decide: (payments) => {
        const later: NumberedReport[] = []
        const decisions = [...byPayment].flatMap(([id, ofThisPayment]) => {
          const payment = readable(payments, id)
          if (payment === null) return []
          const facts: (Included | Denied)[] = []
          const denials = ofThisPayment.filter(({ denies }) => denies)
          const denied = new Set(denials.map(inclusionKeyOf))
          for (const report of ofThisPayment) {
            const fact = this.#factOf(payment, report, {
              ...origin,
              deniedInBatch: denied.has(inclusionKeyOf(report)),
            })
            if (fact === 'later') later.push(report)
            else if (fact !== null) facts.push(fact)
          }
          if (facts.length === 0) return []
          const heads = newerHeads(payment, { headOf, at: origin.at })
          return [observe(payment, [...facts, ...heads], this.#options)]
        })
        return { decisions, answer: later }
      },
    })
  }

  #groupByPayment(
    chain: string,
    reports: readonly NumberedReport[],
  ): ReadonlyMap<string, readonly NumberedReport[]> {
    const watched = this.#options.index.chain(chain)
    const byPayment = new Map<string, NumberedReport[]>()
    for (const report of reports) {
      const { inclusion } = report
      const paymentIds = new Set(inclusion.transfers.map(({ to }) => watched?.payee(to) ?? null))
      for (const paymentId of paymentIds) {
        if (paymentId === null) continue
        const transfers = inclusion.transfers.filter(
          ({ to, amount }) => watched?.payee(to) === paymentId && amount > 0n,
        )
        if (transfers.length === 0) continue
        const ofThisPayment = { ...report, inclusion: { ...inclusion, transfers } }
        const known = byPayment.get(paymentId)
        if (known === undefined) byPayment.set(paymentId, [ofThisPayment])
        else known.push(ofThisPayment)
      }
    }
    return byPayment
  }

  /** The fact that a report adds; null: none. `later`: it must wait for the next step. */
  #factOf(
    payment: Payment,
    report: ProviderReport,
    { deniedInBatch, ...origin }: ReportOrigin & { readonly deniedInBatch: boolean },
  ): Included | Denied | 'later' | null {
    const { source, inclusion: reported } = report
    const { txHash, block } = reported
    const transaction = findTransaction(payment.facts.transactions, { chain: origin.chain, txHash })
    const inclusion = transaction?.inclusions[block.hash]
    if (inclusion === undefined) return this.#sums.factOf(payment, report, origin)
    if (transaction === null || !inclusion.canonical || inclusion.outcome !== 'paid') return null
    const { sources, deniedBy } = sourcesOf(transaction, block.hash)
    const deniesAlready = deniedBy.includes(source)
    if (report.denies) {
      const denied = { ...origin, kind: 'denied', source, txHash, blockHash: block.hash } as const
      return deniesAlready ? null : denied
    }
    const quorum = this.#options.policy.chains[origin.chain]?.quorum ?? 1
    const isEnough = sources.length >= quorum && deniedBy.length === 0 && !deniedInBatch
    if (sources.includes(source) || isEnough) return null
    // Keep only the recorded transfers. A block that is read again may show others, such as coins
    // that were found by a balance meanwhile.
    const countOfPart = new Map(inclusion.transfers.map((one) => [one.part, one.count] as const))
    const shown = sumUpRest(payment, { ...origin, ...reported, kind: 'included', source })
    const transfers = shown.transfers.filter(({ part }) => countOfPart.has(part))
    // A report of a sum with another number of transfers does not confirm this one.
    const isOther = transfers.some(({ part, count }) => count !== countOfPart.get(part))
    if (transfers.length === 0 || isOther) return null
    const deniedAt = transaction.denials?.[block.hash]?.[source]
    if (deniesAlready && deniedAt !== undefined && deniedAt >= origin.view) return 'later'
    if (deniesAlready && !this.#mayChange(report)) return null
    // Use the view of the recorded inclusion, so that a reorg with a later view still wins. Only
    // taking back a denial needs a later view.
    const view = deniesAlready ? origin.view : inclusion.view
    return { ...shown, transfers, view }
  }

  #mayChange(report: ProviderReport): boolean {
    const key = keyOf(report)
    const changes = (this.#changes.get(key) ?? 0) + 1
    this.#changes.set(key, changes)
    return changes <= changesMax
  }
}
