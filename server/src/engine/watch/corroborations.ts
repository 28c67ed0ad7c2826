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
import { type Seen, SumWitnesses, type Word } from './sum-witnesses.ts'
import type { WatchIndex } from './watch-index.ts'

export interface CorroborationsOptions extends Judge {
  readonly clock: Pick<Clock, 'now' | 'random'>
  /** The writer for what is said of a chain: under the lease that it is followed under. */
  readonly writerOf: (chain: string) => Pick<SomeWriter, 'submit'>
  readonly index: WatchIndex
  readonly log: Log
  /** As of the last stored step. */
  readonly headOf: (chain: string) => ChainHead | null
}

/** Words that wait on one chain; of more the oldest is let go, which costs a flag and no money. */
const keptMax = 10_000

/**
 * So often may one source take back what it denied of one inclusion. Then its denial stays: a node that
 * changes its word with each block would add events for as long as the payment is watched.
 */
const changesMax = 8
const rememberedMax = 10_000

const nameOf = ({ inclusion: { block, txHash } }: Word): string => `${block.hash} ${txHash}`

/**
 * Adds what further providers say of an inclusion: those that show it, as far as the policy asks for
 * them or a denial has to be outvoted, and all that deny it. Only what is on record as canonical is
 * spoken of: another provider's word alone moves nothing.
 */
export class Corroborations {
  readonly #options: CorroborationsOptions
  /** What cannot be recorded yet, per chain and in the order in which it came. */
  readonly #kept = new Map<string, Word[]>()
  /** What was said in this turn, per chain. */
  readonly #heard = new Map<string, Word[]>()
  readonly #sums = new SumWitnesses()
  /** How often each source has taken back what it denied, by inclusion and source. */
  readonly #changes = new LRUCache<string, number>({ max: rememberedMax })

  constructor(options: CorroborationsOptions) {
    this.#options = options
  }

  /**
   * What is said in one turn is recorded together: where one takes back what it showed, those that still
   * show it are told with it, so that no money is gone for a moment.
   */
  hear(chain: string, words: readonly Word[]): void {
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

  /** Never rejects. What cannot be recorded now is tried again with the next step of its chain. */
  async take(chain: string, words: readonly Word[]): Promise<void> {
    const { headOf, log } = this.#options
    const head = headOf(chain)?.head ?? -1
    const ready = words.filter(({ inclusion }) => inclusion.block.number <= head)
    this.#keep(
      chain,
      words.filter(({ inclusion }) => inclusion.block.number > head),
    )
    if (ready.length === 0) return
    try {
      this.#keep(chain, await this.#record(chain, ready))
    } catch (error) {
      log.warn({ chain, error }, 'what further sources say was not recorded; tried again')
      this.#keep(chain, ready)
    }
  }

  /** A step of this chain was stored. */
  async advanced(chain: string): Promise<void> {
    const kept = this.#kept.get(chain) ?? []
    this.#kept.delete(chain)
    // One by one: what a source says later takes back what it said before.
    for (const word of kept) await this.take(chain, [word])
  }

  /** Another process follows the chain: what waits was heard from providers of this one, too long ago. */
  forget(chain: string): void {
    this.#kept.delete(chain)
    this.#heard.delete(chain)
  }

  #keep(chain: string, words: readonly Word[]): void {
    if (words.length === 0) return
    this.#kept.set(chain, [...(this.#kept.get(chain) ?? []), ...words].slice(-keptMax))
  }

  /** Resolves to the words that have to wait for the next step. */
  async #record(chain: string, words: readonly Word[]): Promise<readonly Word[]> {
    const { writerOf, clock, headOf } = this.#options
    const ofPayment = this.#sort(chain, words)
    if (ofPayment.size === 0) return []
    const seen = { at: clock.now(), chain, view: headOf(chain)?.view ?? 0 }
    return writerOf(chain).submit({
      ids: [...ofPayment.keys()],
      decide: (payments) => {
        const later: Word[] = []
        const decisions = [...ofPayment].flatMap(([id, said]) => {
          const payment = readable(payments, id)
          if (payment === null) return []
          const facts: (Included | Denied)[] = []
          const denied = new Set(said.flatMap((word) => (word.denies ? [nameOf(word)] : [])))
          for (const word of said) {
            const fact = this.#factOf(payment, word, {
              ...seen,
              isDenied: denied.has(nameOf(word)),
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

  #sort(chain: string, words: readonly Word[]): ReadonlyMap<string, readonly Word[]> {
    const watched = this.#options.index.chain(chain)
    const ofPayment = new Map<string, Word[]>()
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

  /** What it adds; null where that is nothing, and `later` where it can be told only of the next step. */
  #factOf(
    payment: Payment,
    word: Word,
    { isDenied: willBeDenied, ...seen }: Seen & { readonly isDenied: boolean },
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
    // Read again, a block may show more than was told, such as coins that a balance has told since.
    const places = new Map(inclusion.transfers.map((one) => [one.part, one.count] as const))
    const shown = leaveParts(payment, { ...seen, ...said, kind: 'included', source })
    const transfers = shown.transfers.filter(({ part }) => places.has(part))
    // A sum of more or fewer is no word for this one.
    const isOther = transfers.some(({ part, count }) => count !== places.get(part))
    if (transfers.length === 0 || isOther) return null
    const deniedAt = transaction.denials?.[block.hash]?.[source]
    if (isDenied && deniedAt !== undefined && deniedAt >= seen.view) return 'later'
    if (isDenied && !this.#mayChange(word)) return null
    // At the view of the inclusion itself, so that a reorg that is known by then still wins; but what a
    // source denied it takes back at a later view.
    const view = isDenied ? seen.view : inclusion.view
    return { ...shown, transfers, view }
  }

  #mayChange(word: Word): boolean {
    const name = `${nameOf(word)} ${word.source}`
    const changes = (this.#changes.get(name) ?? 0) + 1
    this.#changes.set(name, changes)
    return changes <= changesMax
  }
}
