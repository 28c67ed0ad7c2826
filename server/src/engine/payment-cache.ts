import type { Payment } from '@settlewire/core/payment'

/** Payments as last committed by this process, the least recently used forgotten first. */
export class PaymentCache {
  readonly #max: number
  /** A map keeps the order of insertion, so the first key is the one unused for longest. */
  readonly #payments = new Map<string, Payment>()

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#payments.size
  }

  get(id: string): Payment | null {
    const payment = this.#payments.get(id)
    if (payment === undefined) return null
    this.#payments.delete(id)
    this.#payments.set(id, payment)
    return payment
  }

  set(payment: Payment): void {
    this.#payments.delete(payment.id)
    this.#payments.set(payment.id, payment)
    if (this.#payments.size <= this.#max) return
    for (const oldest of this.#payments.keys()) {
      this.#payments.delete(oldest)
      return
    }
  }

  drop(id: string): void {
    this.#payments.delete(id)
  }
}
