import { canonicalJson } from '@settlewire/core/canonical-json'
import { evidenceToJson } from '@settlewire/core/payment-json'
import type { StoredEvent } from '../../server/src/ports.ts'
import { hashOfStored, noHash } from '../../server/src/store/hash-chain.ts'

/**
 * Reads along with a feed and notes everything that breaks its promises: positions 1..n without a
 * gap, each payment's sequences 1..n, each event chained to the one before it and sealed as it reads.
 */
export class FeedChecker {
  readonly problems: string[] = []
  readonly seen = new Set<string>()
  #position = 0
  readonly #payments = new Map<string, { sequence: number; hash: string }>()

  /** The last position seen. */
  get position(): number {
    return this.#position
  }

  see(stored: StoredEvent): void {
    const { event, position, paymentId } = stored
    if (position !== this.#position + 1) {
      this.#note(`position ${position} follows ${this.#position}`)
    }
    this.#position = position
    if (this.seen.has(event.id)) this.#note(`${event.id} comes twice`)
    this.seen.add(event.id)

    const before = this.#payments.get(paymentId) ?? { sequence: 0, hash: noHash }
    const { sequence } = event.data
    if (sequence !== before.sequence + 1) {
      this.#note(`${paymentId} goes from sequence ${before.sequence} to ${sequence}`)
    }
    if (stored.prevHash !== before.hash) this.#note(`${event.id} is chained to something else`)
    if (hashOfStored(event, textsOf(stored)) !== stored.hash) {
      this.#note(`${event.id} is not what was sealed`)
    }
    this.#payments.set(paymentId, { sequence, hash: stored.hash })
  }

  /** Every acknowledged event must have come by. */
  expect(acknowledged: Iterable<string>): void {
    for (const id of acknowledged) {
      if (!this.seen.has(id)) this.#note(`${id} was acknowledged and never seen`)
    }
  }

  #note(problem: string): void {
    if (this.problems.length < problemsMax) this.problems.push(problem)
  }
}

const problemsMax = 1_000

/** The texts that were sealed, made again from what was read. */
const textsOf = (stored: StoredEvent) => ({
  dataJson: stored.dataJson,
  evidenceJson: canonicalJson(evidenceToJson(stored.event.evidence)),
  prevHash: stored.prevHash,
})
