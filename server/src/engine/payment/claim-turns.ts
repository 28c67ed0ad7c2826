import { assert } from '@settlewire/core/assert'
import type { Instant } from '@settlewire/core/instant'

/** A transaction that a payer named for a payment, and that nobody has seen. */
export interface OpenClaim {
  readonly chain: string
  readonly paymentId: string
  readonly txHash: string
}

/** How long a claim waits for its first turn, its second, and so on; the last holds for all after it. */
const waitsMs = [0, 5_000, 10_000, 20_000, 40_000, 60_000] as const

interface Turn {
  readonly claim: OpenClaim
  /** Which of the waits it is in. */
  readonly wait: number
  readonly notBefore: Instant
}

/**
 * Whose turn it is of the open claims: always of the one that could have been asked for longest ago.
 * However many there are, none is passed over. Those with the same wait come due in the order in
 * which they began it, so a queue per wait keeps them sorted.
 */
export class ClaimTurns {
  readonly #queues = waitsMs.map(() => new Map<string, Turn>())
  readonly #waiting = new Set<string>()

  get size(): number {
    return this.#waiting.size
  }

  /** It may be asked for from now on. Does nothing when it waits already. */
  add(claim: OpenClaim, now: Instant): void {
    this.#put(claim, 0, now)
  }

  /** Takes the next one that is due out of the queues; null when none is. */
  take(now: Instant): { readonly claim: OpenClaim; readonly again: () => void } | null {
    let first: Turn | null = null
    for (const queue of this.#queues) {
      const [turn] = queue.values()
      if (turn !== undefined && turn.notBefore < (first?.notBefore ?? now + 1)) first = turn
    }
    if (first === null) return null
    const { claim, wait } = first
    const key = keyOf(claim)
    this.#queues[wait]?.delete(key)
    this.#waiting.delete(key)
    return { claim, again: () => this.#put(claim, Math.min(wait + 1, waitsMs.length - 1), now) }
  }

  #put(claim: OpenClaim, wait: number, now: Instant): void {
    const key = keyOf(claim)
    const waitMs = waitsMs[wait]
    assert(waitMs !== undefined, 'there is a wait for each turn')
    if (this.#waiting.has(key)) return
    this.#waiting.add(key)
    this.#queues[wait]?.set(key, { claim, wait, notBefore: now + waitMs })
  }
}

const keyOf = ({ chain, paymentId, txHash }: OpenClaim): string => `${chain} ${paymentId} ${txHash}`
