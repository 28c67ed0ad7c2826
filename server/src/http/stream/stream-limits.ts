import { type ErrorCode, Failure } from '@settlewire/core/errors'
import type { EdgeLimits } from '../../edge-limits.ts'
import type { EdgeMetrics } from '../../metrics.ts'

/** Whose stream it is, or whose long-poll while its answer is held. */
export interface StreamOwner {
  /** Null for the stream of a feed. */
  readonly paymentId: string | null
  readonly merchantId: string
  /** The client's address as the edge counts it; null if its address has no limit. */
  readonly address: string | null
}

type Limits = Pick<
  EdgeLimits,
  'streamsPerPaymentMax' | 'streamsPerMerchantMax' | 'streamsPerAddressMax'
>

interface LimitRow {
  readonly code: ErrorCode
  readonly max: (limits: Limits) => number
  /** The name under which it is counted; null if it is not. */
  readonly of: (owner: StreamOwner) => string | null
}

/** Each limit, in the order in which they are checked. */
const rows: readonly LimitRow[] = [
  {
    code: 'too_many_streams_of_address',
    max: ({ streamsPerAddressMax }) => streamsPerAddressMax,
    of: ({ address }) => address,
  },
  {
    code: 'too_many_streams_of_payment',
    max: ({ streamsPerPaymentMax }) => streamsPerPaymentMax,
    of: ({ paymentId }) => paymentId,
  },
  {
    code: 'too_many_streams_of_merchant',
    max: ({ streamsPerMerchantMax }) => streamsPerMerchantMax,
    of: ({ merchantId }) => merchantId,
  },
]

/** How long a refused client should wait: a stream may end at any time. */
const retryAfterSeconds = 5

/**
 * Counts the streams and held long-polls of this process, per address, payment and merchant, and
 * refuses those beyond a limit. Every operation is O(1); a name is forgotten with its last
 * stream.
 */
export class StreamLimits {
  readonly #limits: Limits
  readonly #metrics: Pick<EdgeMetrics, 'requestRefused'>
  readonly #counts = rows.map(() => new Map<string, number>())

  constructor(limits: Limits, metrics: Pick<EdgeMetrics, 'requestRefused'>) {
    this.#limits = limits
    this.#metrics = metrics
  }

  /**
   * Counts a stream. Throws the code of the first limit that it would exceed, and then counts
   * nothing.
   */
  enter(owner: StreamOwner): void {
    for (const [index, { code, max, of }] of rows.entries()) {
      const name = of(owner)
      if (name !== null && this.#count(index, name) >= max(this.#limits)) {
        this.#metrics.requestRefused(code)
        throw new Failure(code, undefined, { retryAfterSeconds })
      }
    }
    this.#add(owner, 1)
  }

  /** To be called once for each stream that was counted, when it is over. */
  leave(owner: StreamOwner): void {
    this.#add(owner, -1)
  }

  #count(index: number, name: string): number {
    return this.#counts[index]?.get(name) ?? 0
  }

  #add(owner: StreamOwner, change: 1 | -1): void {
    for (const [index, { of }] of rows.entries()) {
      const name = of(owner)
      if (name === null) continue
      const count = this.#count(index, name) + change
      if (count === 0) this.#counts[index]?.delete(name)
      else this.#counts[index]?.set(name, count)
    }
  }
}
