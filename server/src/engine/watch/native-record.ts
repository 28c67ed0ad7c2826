import type { Payment } from '@settlewire/core/payment/payment'
import { canonicalInclusion } from '@settlewire/core/payment/transaction'

/** The native coin that a canonical block brought to an address. */
export interface Income {
  readonly to: string
  readonly blockNumber: number
  readonly amount: bigint
}

/** All that is on record of it on one chain, also what was too little or not asked for. */
export function nativeIncomes({ facts }: Pick<Payment, 'facts'>, chain: string): readonly Income[] {
  return facts.transactions.flatMap((transaction) => {
    if (transaction.chain !== chain) return []
    const { block = null, transfers = [] } = canonicalInclusion(transaction) ?? {}
    if (block === null) return []
    return transfers
      .filter(({ token }) => token === null)
      .map(({ to, amount }) => ({ to, amount, blockNumber: block.number }))
  })
}

/**
 * What the history says has come in of one chain's native coin, by payment. A balance beyond it is
 * money that nobody has told; so while a commit is in doubt it says nothing rather than too little.
 */
export class NativeRecord {
  readonly #incomes = new Map<string, readonly Income[]>()
  #isInDoubt = false

  /** What is now on record of a payment. */
  keep(paymentId: string, incomes: readonly Income[]): void {
    if (incomes.length > 0) this.#incomes.set(paymentId, incomes)
    else this.#incomes.delete(paymentId)
  }

  forget(paymentId: string): void {
    this.#incomes.delete(paymentId)
  }

  /** Something may have been committed that nobody here was told of. */
  doubt(): void {
    this.#isInDoubt = true
  }

  /** It was read again. */
  trust(): void {
    this.#isInDoubt = false
  }

  /** In blocks up to this number; null while that is in doubt. */
  through(block: number, paymentId: string, address: string): bigint | null {
    if (this.#isInDoubt) return null
    let sum = 0n
    for (const { to, blockNumber, amount } of this.#incomes.get(paymentId) ?? []) {
      if (to === address && blockNumber <= block) sum += amount
    }
    return sum
  }
}
