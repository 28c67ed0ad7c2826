import type { Denied, Included } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import type { ChainHead } from '@settlewire/core/payment/policy'
import { findTransaction, wordsOn } from '@settlewire/core/payment/transaction'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import { type Judge, newerHeads, observe } from '../payment/observe.ts'
import { readable } from '../write/draft.ts'
import type { SomeWriter } from '../write/fenced-writer.ts'
import { leaveParts } from './noise.ts'
import { inclusionOf, keyOf, type NumberedReport, ReportQueue } from './report-queue.ts'
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
 * Records what further providers report of an inclusion: providers that show it, as long as the
 * policy needs more or a denial must be outvoted, and all providers that deny it. Only inclusions
 * recorded as canonical take part: another provider's report alone adds no money.
 */
export class Corroborations {
  readonly #options: CorroborationsOptions
  readonly #queue = new ReportQueue()
  /** Reports of the current turn of the event loop, per chain. */
  readonly #heard = new Map<string, ProviderReport[]>()
  readonly #sums = new SumWitnesses()
  /** How often each source took back a denial, by inclusion and source. */
  readonly #changes = new LRUCache<string, number>({
    // By size, as with `max` the cache reserves all entries at once.
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
  hear(chain: string, words: readonly ProviderReport[]): void {
    const heard = this.#heard.get(chain)
    if (heard !== undefined) {
      heard.push(...words)
      return
    }
    this.#heard.set(chain, [...words])
    queueMicrotask(() => {
      const all = this.#heard.get(chain) ?? []
      this.#heard.delete(chain)
      void this.take(chain, all)
    })
  }

  /**
   * Never rejects. Reports that cannot be recorded now are tried again with the chain's next step.
   */
  take(chain: string, words: readonly ProviderReport[]): Promise<void> {
    return this.#try(chain, this.#queue.number(words))
  }

  async #try(chain: string, words: readonly NumberedReport[]): Promise<void> {
    const { headOf, log } = this.#options
    const head = headOf(chain)?.head ?? -1
    const ready = this.#queue.send(chain, words, ({ inclusion }) => inclusion.block.number > head)
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
    for (const word of this.#queue.drain(chain)) {
      if (this.#queue.release(word)) await this.#try(chain, [word])
    }
  }

  /** Another process follows the chain now: drop the waiting reports, which are too old by now. */
  forget(chain: string): void {
    for (const word of this.#queue.drain(chain)) this.#queue.release(word)
    this.#heard.delete(chain)
  }

  /** Resolves to the reports that must wait for the next step. */
  async #record(
    chain: string,
    words: readonly NumberedReport[],
  ): Promise<readonly NumberedReport[]> {
    const { writerOf, clock, headOf } = this.#options
    const ofPayment = this.#sort(chain, words)
    if (ofPayment.size === 0) return []
    const seen = { at: clock.now(), chain, view: headOf(chain)?.view ?? 0 }
    return writerOf(chain).submit({
      ids: [...ofPayment.keys()],
      decide: (payments) => {
        const later: NumberedReport[] = []
        const decisions = [...ofPayment].flatMap(([id, said]) => {
          const payment = readable(payments, id)
          if (payment === null) return []
          const facts: (Included | Denied)[] = []
          const denied = new Set(said.flatMap((word) => (word.denies ? [inclusionOf(word)] : [])))
          for (const word of said) {
            const fact = this.#factOf(payment, word, {
              ...seen,
              isDenied: denied.has(inclusionOf(word)),
            })
            if (fact === 'later') later.push(word)
            else if (fact !== null) facts.push(fact)
          }
          if (facts.length === 0) return []
          const heads = newerHeads(payment, { headOf, at: seen.at })
          return [observe(payment, [...facts, ...heads], this.#options)]
        })
        return { decisions, answer: later }
      },
    })
  }

  #sort(
    chain: string,
    words: readonly NumberedReport[],
  ): ReadonlyMap<string, readonly NumberedReport[]> {
    const watched = this.#options.index.chain(chain)
    const ofPayment = new Map<string, NumberedReport[]>()
    for (const word of words) {
      const { inclusion } = word
      const payees = new Set(inclusion.transfers.map(({ to }) => watched?.payee(to) ?? null))
      for (const payee of payees) {
        if (payee === null) continue
        const transfers = inclusion.transfers.filter(
          ({ to, amount }) => watched?.payee(to) === payee && amount > 0n,
        )
        if (transfers.length === 0) continue
        const mine = { ...word, inclusion: { ...inclusion, transfers } }
        const known = ofPayment.get(payee)
        if (known === undefined) ofPayment.set(payee, [mine])
        else known.push(mine)
      }
    }
    return ofPayment
  }

  /** The fact that a report adds; null: none. `later`: it must wait for the next step. */
  #factOf(
    payment: Payment,
    word: ProviderReport,
    { isDenied: willBeDenied, ...seen }: ReportOrigin & { readonly isDenied: boolean },
  ): Included | Denied | 'later' | null {
    const { source, inclusion: said } = word
    const { txHash, block } = said
    const transaction = findTransaction(payment.facts.transactions, { chain: seen.chain, txHash })
    const inclusion = transaction?.inclusions[block.hash]
    if (inclusion === undefined) return this.#sums.factOf(payment, word, seen)
    if (transaction === null || !inclusion.canonical || inclusion.outcome !== 'paid') return null
    const { sources, deniedBy } = wordsOn(transaction, block.hash)
    const isDenied = deniedBy.includes(source)
    if (word.denies) {
      const denied = { ...seen, kind: 'denied', source, txHash, blockHash: block.hash } as const
      return isDenied ? null : denied
    }
    const quorum = this.#options.policy.chains[seen.chain]?.quorum ?? 1
    const isEnough = sources.length >= quorum && deniedBy.length === 0 && !willBeDenied
    if (sources.includes(source) || isEnough) return null
    // A block that is read again may show more than was recorded, such as coins found by balance
    // since.
    const places = new Map(inclusion.transfers.map((one) => [one.part, one.count] as const))
    const shown = leaveParts(payment, { ...seen, ...said, kind: 'included', source })
    const transfers = shown.transfers.filter(({ part }) => places.has(part))
    // A report of a sum with another number of transfers does not confirm this one.
    const isOther = transfers.some(({ part, count }) => count !== places.get(part))
    if (transfers.length === 0 || isOther) return null
    const deniedAt = transaction.denials?.[block.hash]?.[source]
    if (isDenied && deniedAt !== undefined && deniedAt >= seen.view) return 'later'
    if (isDenied && !this.#mayChange(word)) return null
    // Use the view of the inclusion itself, so that a reorg known by then still wins. To take back
    // a denial, a source needs a later view.
    const view = isDenied ? seen.view : inclusion.view
    return { ...shown, transfers, view }
  }

  #mayChange(word: ProviderReport): boolean {
    const key = keyOf(word)
    const changes = (this.#changes.get(key) ?? 0) + 1
    this.#changes.set(key, changes)
    return changes <= changesMax
  }
}
