import { feedSeal, noSeal } from '@settlewire/core/history/seal'
import { digest } from '../history/digest.ts'

/** The number of seals in one buffer. */
const stretch = 1_024
const sealBytes = 32

/**
 * Takes the seals of one feed's events in any order and chains them by position. Chained seals are
 * released: subjects are read by id, which is nearly the order of the feed, so a walk through a
 * database holds few seals at a time. A dump of several parts is read part by
 * part, so nearly all its seals are held.
 */
export class FeedOrder {
  readonly #held = new Map<number, { readonly seals: Buffer; count: number }>()
  #next = 0
  #seal = noSeal

  /** Must be called once for each position. */
  add(position: number, seal: string): void {
    const number = Math.floor((position - 1) / stretch)
    let held = this.#held.get(number)
    if (held === undefined) {
      held = { seals: Buffer.allocUnsafe(stretch * sealBytes), count: 0 }
      this.#held.set(number, held)
    }
    held.seals.write(seal, ((position - 1) % stretch) * sealBytes, 'hex')
    held.count++
    if (held.count === stretch && number === this.#next) this.#chainWhole()
  }

  /** The seal of the feed, once positions 1 to `last` were added. */
  end(last: number): string {
    const held = this.#held.get(this.#next)
    if (held !== undefined) this.#chain(held.seals, last - this.#next * stretch)
    return this.#seal
  }

  #chainWhole(): void {
    for (;;) {
      const held = this.#held.get(this.#next)
      if (held === undefined || held.count < stretch) return
      this.#chain(held.seals, stretch)
      this.#held.delete(this.#next)
      this.#next++
    }
  }

  #chain(seals: Buffer, count: number): void {
    for (let at = 0; at < count; at++) {
      const seal = seals.toString('hex', at * sealBytes, (at + 1) * sealBytes)
      this.#seal = feedSeal(this.#seal, seal, digest)
    }
  }
}
