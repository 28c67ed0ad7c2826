import type { BlockRef } from '@settlewire/core/payment/observation'
import type { Clock } from '../../../ports/clock.ts'
import { Bell } from '../node/bell.ts'
import type { RpcConnection } from '../node/connection.ts'
import type { Limits } from '../node/limits.ts'
import { type EvmNode, type Header, parseHeader } from '../node/node.ts'
import { sightTimes } from '../node/sight.ts'
import { Standing } from '../node/standing.ts'

interface Parts {
  readonly socket: RpcConnection
  readonly node: EvmNode
  readonly clock: Clock
  readonly limits: Limits
  /** The usual time between blocks; null where there is none. */
  readonly blockMs: number
  /** The node answered a question about its head. */
  readonly answered: () => void
  /** The subscription was found dead on a living connection, and is being made anew. */
  readonly silent: () => void
  /** There was no new head for `headSilentAfterMs`. */
  readonly still: () => void
  /** It is refused, or granted, otherwise than before. */
  readonly changed: () => void
}

/**
 * The newest head of one connection. `newHeads` is a hint that saves time; the head is asked for on
 * a slow timer too, so a subscription that died, or never was, costs time and not blocks. Heads
 * coalesce: whoever was busy gets the latest.
 */
export class HeadWatch {
  readonly #parts: Parts
  readonly #bell = new Bell()
  readonly #subscription: Standing
  #hint: Header | null = null
  /** The number the subscription is known to have reached. */
  #hintedNumber: number | null = null
  #polled: BlockRef | null = null
  #given: string | null = null
  #newAt: number

  constructor(parts: Parts) {
    const { socket, clock, limits } = parts
    this.#parts = parts
    this.#newAt = clock.now()
    this.#subscription = new Standing({
      ...{ clock, limits, closed: socket.closed, changed: parts.changed },
      subscribe: () => socket.subscribe(['newHeads'], (head) => this.#hear(head)),
    })
    void parts.socket.closed.then(() => this.#bell.ring())
  }

  /** Subscribes, anew if it was before. A node that refuses is polled only. */
  async subscribe(): Promise<void> {
    this.#hintedNumber = null
    await this.#subscription.begin()
  }

  /** The node refuses for now to tell its heads: they are asked for. */
  get isRefused(): boolean {
    return this.#subscription.isRefused
  }

  /** Resolves to a head that was not given yet. Rejects when the node fails or the connection ends. */
  async next(): Promise<Header> {
    for (let first = this.#given === null; ; first = false) {
      const head = this.#takeHint() ?? (first ? await this.#poll() : null)
      if (head !== null && head.ref.hash !== this.#given) {
        this.#given = head.ref.hash
        this.#newAt = this.#parts.clock.now()
        return head
      }
      if (await this.#waitedInVain()) {
        const polled = await this.#poll()
        if (polled.ref.hash !== this.#given) this.#hint ??= polled
        else this.#checkStill()
      }
    }
  }

  async #waitedInVain(): Promise<boolean> {
    await this.#bell.wait(this.#parts.clock, this.#pollMs())
    return this.#hint === null
  }

  /** Without a subscription the poll is all there is. */
  #pollMs(): number {
    const { limits, blockMs } = this.#parts
    if (this.#subscription.isOn) return limits.headPollMs
    const often = Math.max(limits.barePollMsMin, blockMs / 2)
    return Math.min(limits.headPollMs, often)
  }

  #takeHint(): Header | null {
    const hint = this.#hint
    this.#hint = null
    return hint
  }

  #hear(value: unknown): void {
    let head: Header
    try {
      head = parseHeader(value)
    } catch {
      // A hint that cannot be read is still one: the poll asks for the real thing.
      this.#bell.ring()
      return
    }
    // Some nodes send a list of transactions along, and not all of those that do send it whole.
    this.#hint = { ...head, txHashes: null, values: null }
    this.#hintedNumber = head.ref.number
    this.#bell.ring()
  }

  async #poll(): Promise<Header> {
    const before = this.#polled
    const latest = await this.#parts.node.latest()
    this.#parts.answered()
    this.#polled = latest.ref
    // The first answer after subscribing is where the subscription starts.
    this.#hintedNumber ??= latest.ref.number
    // Had it lived, the head of the poll before would have been told by now.
    const told = before === null || this.#hintedNumber >= before.number
    if (!told && this.#subscription.isOn) this.#parts.silent()
    return latest
  }

  #checkStill(): void {
    const { clock, limits, blockMs, still } = this.#parts
    const { headSilentAfterMs } = sightTimes(limits, blockMs)
    if (headSilentAfterMs === null) return
    if (clock.now() - this.#newAt >= headSilentAfterMs) still()
  }
}
