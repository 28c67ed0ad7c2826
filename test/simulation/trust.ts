import type { Evidence } from '@settlewire/core/payment/event'
import type { Source } from '@settlewire/core/payment/observation'
import type { Payment, Transaction } from '@settlewire/core/payment/payment'
import type { Policy } from '@settlewire/core/payment/policy'
import { canonicalInclusion } from '@settlewire/core/payment/transfer'
import type { Liar } from './lies.ts'
import { unitsOf } from './oracle.ts'
import type { Testimony } from './testimony.ts'

export interface TrustParts {
  readonly testimony: Testimony
  /** Keyed by chain. */
  readonly liars: ReadonlyMap<string, Liar>
  readonly policy: () => Policy
}

/** The latest statement of a source about a transaction in a block. */
interface Said {
  readonly denies: boolean
  readonly view: number
}

/**
 * Checks that a payment may settle: as many nodes as the policy requires have really shown the
 * transaction, and no recorded denial contradicts a lie. Denials are taken from the committed
 * events.
 */
export class Trust {
  readonly #parts: TrustParts
  readonly #said = new Map<string, Map<Source, Said>>()

  constructor(parts: TrustParts) {
    this.#parts = parts
  }

  heard(facts: Evidence['facts']): void {
    for (const fact of facts) {
      if (fact.kind === 'denied') {
        this.#note(`${fact.blockHash} ${fact.txHash}`, fact.source, {
          denies: true,
          view: fact.view,
        })
      }
      if (fact.kind !== 'included') continue
      for (const source of [fact.source, ...(fact.alsoSeenBy ?? [])]) {
        this.#note(`${fact.block.hash} ${fact.txHash}`, source, { denies: false, view: fact.view })
      }
    }
  }

  /** Whether a source on record still shows it, by its latest statement. */
  isUpheld(blockHash: string, txHash: string): boolean {
    const words = this.#said.get(`${blockHash} ${txHash}`)?.values() ?? []
    return [...words].some(({ denies }) => !denies)
  }

  /** Why a payment must not be in this state; null if it may. */
  problem(before: Payment | null, now: Payment): string | null {
    const isNew = now.status === 'succeeded' && before?.status !== 'succeeded'
    const isFinal = now.finality === 'final' && before?.finality !== 'final'
    if (!isNew && !isFinal) return null
    const required = now.terms.amount - now.terms.tolerance
    const paying = now.facts.transactions.flatMap((transaction) => {
      const inclusion = canonicalInclusion(transaction)
      if (inclusion?.outcome !== 'paid' || inclusion.block === null) return []
      const units = unitsOf(now.terms, transaction.chain, inclusion.transfers)
      return [{ transaction, units, blockHash: inclusion.block.hash }]
    })
    const sum = (holds: (transaction: Transaction, blockHash: string) => boolean): bigint =>
      paying.reduce(
        (total, { transaction, units, blockHash }) =>
          holds(transaction, blockHash) ? total + units : total,
        0n,
      )
    const credible = sum((transaction, blockHash) => !this.#isDenied(transaction, blockHash))
    if (credible < required) return `${isFinal ? 'final' : 'settled'} by a lie that is denied`
    if (!isNew || now.flags.includes('single_source')) return null
    const shown = sum((transaction, blockHash) => this.#isShown(transaction, blockHash))
    return shown < required ? 'settled by fewer nodes than the policy requires' : null
  }

  /** Whether it is a lie that at least as many sources on record deny as show. */
  #isDenied({ chain, txHash }: Transaction, blockHash: string): boolean {
    const lie = this.#parts.liars.get(chain)?.lies.get(blockHash)
    if (lie?.forged.some(({ hash }) => hash === txHash) !== true) return false
    const words = [...(this.#said.get(`${blockHash} ${txHash}`)?.values() ?? [])]
    const denials = words.filter(({ denies }) => denies).length
    return denials > 0 && 2 * denials >= words.length
  }

  #isShown({ chain, txHash }: Transaction, blockHash: string): boolean {
    const quorum = this.#parts.policy().chains[chain]?.quorum ?? 1
    // The increase of a balance is shown by no receipt.
    if (quorum < 2 || !txHash.startsWith('0x')) return true
    return this.#parts.testimony.showers(blockHash, txHash) >= quorum
  }

  #note(key: string, source: Source, said: Said): void {
    const words = this.#said.get(key) ?? new Map<Source, Said>()
    this.#said.set(key, words)
    const known = words.get(source)
    const isLater = known === undefined || said.view > known.view
    if (isLater || (said.denies && said.view === known.view)) words.set(source, said)
  }
}
