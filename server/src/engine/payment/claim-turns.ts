import { assert } from '@settlewire/core/assert'
import type { Instant } from '@settlewire/core/instant'

/** A claimed transaction of a payment that no node has seen yet. */
export interface OpenClaim {
  readonly chain: string
  readonly paymentId: string
  readonly txHash: string
}

/** The waits before a claim's first lookup, its second, and so on; the last one repeats. */
const waitsMs = [0, 5_000, 10_000, 20_000, 40_000, 60_000] as const

interface Turn {
  readonly claim: OpenClaim
  /** Index into `waitsMs`. */
  readonly wait: number
  readonly notBefore: Instant
}

/**
 * Chooses the next open claim to look up: the one that has been due longest, so that none is passed
 * over however many there are. Claims with the same wait become due in the order in which they
 * began it, so one queue per wait keeps them sorted.
 */
export class ClaimTurns {
  readonly #queues = waitsMs.map(() => new Map<string, Turn>())
  readonly #waiting = new Set<string>()

  get size(): number {
    return this.#waiting.size
  }

  /** Makes a claim due now. Does nothing when the claim is queued already. */
  add(claim: OpenClaim, now: Instant): void {
    this.#put(claim, 0, now)
  }

  /** Removes and returns the claim that has been due longest; null when none is due. */
  take(now: Instant): { readonly claim: OpenClaim; readonly requeue: () => void } | null {
    let first: Turn | null = null
    for (const queue of this.#queues) {
      const [turn] = queue.values()
      if (turn === undefined || turn.notBefore > now) continue
      if (first === null || turn.notBefore < first.notBefore) first = turn
    }
    if (first === null) return null
    const { claim, wait } = first
    const key = keyOf(claim)
    this.#queues[wait]?.delete(key)
    this.#waiting.delete(key)
    return { claim, requeue: () => this.#put(claim, Math.min(wait + 1, waitsMs.length - 1), now) }
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
