import type { Payment } from '@settlewire/core/payment/payment'
import { canonicalInclusion } from '@settlewire/core/payment/transaction'

/** An amount of the native coin that a canonical block brought to an address. */
export interface Income {
  readonly to: string
  readonly blockNumber: number
  readonly amount: bigint
}

/** All recorded income of a payment on one chain, including amounts too small and not requested. */
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
 * The recorded income of one chain's native coin, by payment. The follower takes a balance beyond
 * it for new money. So while a commit is in doubt, the answer is null rather than a sum that may be
 * too low.
 */
export class NativeRecord {
  readonly #incomes = new Map<string, readonly Income[]>()
  #isInDoubt = false

  /** Replaces the record of a payment. */
  keep(paymentId: string, incomes: readonly Income[]): void {
    if (incomes.length > 0) this.#incomes.set(paymentId, incomes)
    else this.#incomes.delete(paymentId)
  }

  forget(paymentId: string): void {
    this.#incomes.delete(paymentId)
  }

  /** Something may have been committed that this process was not notified of. */
  doubt(): void {
    this.#isInDoubt = true
  }

  /** The record was read again, so the doubt is over. */
  trust(): void {
    this.#isInDoubt = false
  }

  /** The sum in blocks up to this number; null while in doubt. */
  through(block: number, paymentId: string, address: string): bigint | null {
    if (this.#isInDoubt) return null
    let sum = 0n
    for (const { to, blockNumber, amount } of this.#incomes.get(paymentId) ?? []) {
      if (to === address && blockNumber <= block) sum += amount
    }
    return sum
  }
}
