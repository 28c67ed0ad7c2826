import type { Payment } from '@settlewire/core/payment/payment'

/** The state of a payment after one committed event. */
export interface Stand {
  readonly sequence: number
  /** When it was committed, by the timeline. */
  readonly at: number
  readonly payment: Payment
}

/**
 * Within this time every reader has an event if nothing disturbs it, also across processes, which
 * read the feed twice a second.
 */
export const deliveredMs = 2_000
/**
 * The same with a disturbance: a heartbeat reveals it, or the client has received nothing for 22 s
 * and shows that it is not current.
 */
export const disturbedMs = 23_500
/** The same for a client that polls, whose answers may be held for 25 s. */
export const disturbedAskedMs = 37_000

/** A time in which something delayed or blocked the delivery of events. */
interface Disturbance {
  readonly from: number
  to: number
}

/** All states of every payment, with their times, and the times of disturbances. */
export class Truth {
  readonly #stands = new Map<string, Stand[]>()
  readonly #disturbances: Disturbance[] = []
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Records the state after a committed event. */
  told(payment: Payment): void {
    const stands = this.#stands.get(payment.id) ?? []
    this.#stands.set(payment.id, stands)
    stands.push({ sequence: payment.sequence, at: this.#now(), payment })
  }

  standsOf(id: string): readonly Stand[] {
    return this.#stands.get(id) ?? []
  }

  get ids(): Iterable<string> {
    return this.#stands.keys()
  }

  /** Starts a disturbance that ends after `forMs`, or when the returned function is called. */
  disturb(forMs = Number.POSITIVE_INFINITY): () => void {
    const from = this.#now()
    const disturbance = { from, to: from + forMs }
    this.#disturbances.push(disturbance)
    return () => {
      disturbance.to = this.#now()
    }
  }

  /** Whether there was a disturbance between these times. */
  isDisturbed(from: number, to: number): boolean {
    return this.#disturbances.some((one) => one.from <= to && one.to >= from)
  }
}
