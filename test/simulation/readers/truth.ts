import type { Payment } from '@settlewire/core/payment/payment'

/** Where a payment stood after one event, by what was committed. */
export interface Stand {
  readonly sequence: number
  /** When it was committed, by the timeline. */
  readonly at: number
  readonly payment: Payment
}

/** So soon every reader has an event whose way was undisturbed: across processes, which read the feed twice a second. */
export const deliveredMs = 2_000
/** And so soon otherwise: a heartbeat says it, or the client has heard nothing for 22 s and says that it is not current. */
export const disturbedMs = 23_500
/** The same for a client that asks and waits for an answer, which may be held for 25 s. */
export const disturbedAskedMs = 37_000

/** A time in which something stood in the way of news. */
interface Disturbance {
  readonly from: number
  to: number
}

/** All that was ever true of every payment, with the times, and when nothing stood in the way of it. */
export class Truth {
  readonly #stands = new Map<string, Stand[]>()
  readonly #disturbances: Disturbance[] = []
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** An event is committed. */
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

  /** Something stands in the way, from now on for so long, or until the returned call. */
  disturb(forMs = Number.POSITIVE_INFINITY): () => void {
    const from = this.#now()
    const disturbance = { from, to: from + forMs }
    this.#disturbances.push(disturbance)
    return () => {
      disturbance.to = this.#now()
    }
  }

  /** Whether anything stood in the way between these times. */
  isDisturbed(from: number, to: number): boolean {
    return this.#disturbances.some((one) => one.from <= to && one.to >= from)
  }
}
