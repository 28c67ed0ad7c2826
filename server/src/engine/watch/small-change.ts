import type {
  Denied,
  Included,
  Observation,
  SeenTransfer,
  Source,
} from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import { findTransaction, smallIn, transactionName } from '@settlewire/core/payment/transaction'
import { knownMax, largeMax, rowsMax, sumsOf, sumUpRest, weightOf, weightOfAll } from './noise.ts'

/** Observations to merge, and the number of inclusions neither kept nor summed up. */
export interface Gathered {
  readonly kept: readonly Observation[]
  readonly left: number
}

/**
 * A payment's observations of one step, with its small money beyond `knownMax` transactions as one
 * fact per block. Reading a block again gives the same fact, and a reorg of the block undoes it: a
 * transaction is either recorded by itself or in its block's sum, never both. `late` marks partial
 * reports of a block. If the block has a sum already, a late report cannot be separated from what
 * the sum holds, so it is left out.
 */
export function gather(
  payment: Payment,
  observations: readonly Observation[],
  late: ReadonlySet<Observation> = new Set(),
): Gathered {
  const gathering = new Gathering(payment)
  for (const observation of observations) {
    if (observation.kind === 'denied') gathering.deny(observation)
    else if (observation.kind !== 'included') gathering.keep(observation)
    else gathering.take(sumUpRest(payment, observation), late.has(observation))
  }
  return gathering.result()
}

class Gathering {
  readonly #payment: Payment
  readonly #kept: Observation[] = []
  readonly #denied: Denied[] = []
  /** By block. */
  readonly #small = new Map<string, Included[]>()
  /** New transactions of this step, and by block those that went into its sum. */
  readonly #fresh = new Set<string>()
  #rows: number
  #left = 0

  constructor(payment: Payment) {
    this.#payment = payment
    this.#rows = payment.facts.transactions.length
  }

  keep(observation: Observation): void {
    this.#kept.push(observation)
  }

  /** Held until the end: a denial comes before its inclusion, which may not be kept. */
  deny(denied: Denied): void {
    this.#denied.push(denied)
  }

  take(included: Included, isLate: boolean): void {
    const { chain, block } = included
    const hasSum = this.#find({ chain, txHash: smallIn(block.hash) }) !== null
    const weight = weightOfAll(this.#payment, included)
    if (this.#isKnown(included, hasSum)) this.keep(included)
    else if (!hasSum && this.#rows < (weight === 'large' ? largeMax : knownMax)) {
      this.#rows += 1
      this.#fresh.add(transactionName(included))
      this.keep(included)
    } else if (weight === 'none' || (hasSum && isLate)) this.#left += 1
    else this.#add(included, hasSum)
  }

  result(): Gathered {
    const sums = [...this.#small].map(([hash, included]) => this.#sum(hash, included))
    // A head comes last, as in any step.
    const last = this.#kept.at(-1)
    const grown = last?.kind === 'head' ? [last] : []
    const rest = grown.length === 0 ? this.#kept : this.#kept.slice(0, -1)
    const denied = this.#denied.flatMap((one) => this.#denialOf(one) ?? [])
    return { kept: [...rest, ...denied, ...sums, ...grown], left: this.#left }
  }

  /** A denial of a summed transaction denies the sum. A denial of a left-out one is dropped. */
  #denialOf(denied: Denied): Denied | null {
    const { chain, blockHash, txHash } = denied
    if (this.#fresh.has(`${blockHash} ${txHash}`)) return { ...denied, txHash: smallIn(blockHash) }
    const isKept =
      this.#fresh.has(transactionName(denied)) || this.#find({ chain, txHash }) !== null
    return isKept ? denied : null
  }

  #find(key: { chain: string; txHash: string }) {
    return findTransaction(this.#payment.facts.transactions, key)
  }

  /** If a block has a sum, each of its transactions is recorded either by itself or in the sum. */
  #isKnown(included: Included, hasSum: boolean): boolean {
    const known = this.#find(included)
    if (hasSum) return known?.inclusions[included.block.hash] !== undefined
    return known !== null || this.#fresh.has(transactionName(included))
  }

  #add(included: Included, hasSum: boolean): void {
    const { hash } = included.block
    const small = this.#small.get(hash)
    const name = `${hash} ${included.txHash}`
    // Two providers may report the same transaction of a block.
    if (this.#fresh.has(name)) return
    this.#fresh.add(name)
    if (small !== undefined) small.push(included)
    else if (hasSum || this.#rows < rowsMax) {
      if (!hasSum) this.#rows += 1
      this.#small.set(hash, [included])
    } else this.#left += 1
  }

  #sum(hash: string, included: readonly Included[]): Included {
    const [first] = included as readonly [Included, ...Included[]] // made with its first one
    const { source, at, chain, view, block } = first
    const sources = sharedBy(included)
    const txHash = smallIn(hash)
    const money = included.flatMap((one) => moneyIn(this.#payment, one))
    const others = sources.slice(1)
    return {
      kind: 'included',
      source: sources[0] ?? source,
      at,
      chain,
      view,
      txHash,
      block,
      transfers: sumsOf(money, txHash),
      ...(others.length > 0 && { alsoSeenBy: others }),
    }
  }
}

/** The transfers of a transaction that go into a sum. */
export const moneyIn = (
  payment: Payment,
  included: Pick<Included, 'transfers' | 'chain'>,
): readonly SeenTransfer[] =>
  included.transfers.filter((one) => weightOf(payment, one, included) !== 'none')

/** The sources that have shown every one of these have shown their sum. */
function sharedBy(included: readonly Included[]): readonly Source[] {
  const shownBy = new Map<Source, number>()
  for (const { source, alsoSeenBy = [] } of included) {
    for (const one of new Set([source, ...alsoSeenBy]))
      shownBy.set(one, (shownBy.get(one) ?? 0) + 1)
  }
  return [...shownBy].filter(([, count]) => count === included.length).map(([source]) => source)
}
