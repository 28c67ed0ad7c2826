import type { BlockRef } from '@settlewire/core/payment/observation'
import type { Clock } from '../../../ports/clock.ts'
import { Bell } from '../node/bell.ts'
import type { RpcConnection } from '../node/connection.ts'
import type { FollowerLimits } from '../node/limits.ts'
import { type EvmNode, type Header, parseHeader } from '../node/node.ts'
import { sightTimes } from '../node/sight.ts'
import { StandingSubscription } from '../node/standing.ts'

interface HeadWatchParts {
  readonly socket: RpcConnection
  readonly node: EvmNode
  readonly clock: Clock
  readonly limits: FollowerLimits
  /** The usual time between blocks; 0 when blocks are mined on demand. */
  readonly blockMs: number
  /** Called when the node answered a poll of its head. */
  readonly answered: () => void
  /** Called when the subscription is dead on an open connection and must be renewed. */
  readonly silent: () => void
  /** Called when there was no new head for `headSilentAfterMs`. */
  readonly still: () => void
  /** Called when the subscription begins to be refused, and when it is granted after that. */
  readonly changed: () => void
}

/**
 * The newest head of one connection. `newHeads` is a hint that saves time; the head is polled when
 * none came for a while, so a dead or missing subscription costs time but no blocks. Heads
 * coalesce: a slow reader gets only the latest.
 */
export class HeadWatch {
  readonly #parts: HeadWatchParts
  readonly #bell = new Bell()
  readonly #subscription: StandingSubscription
  #hint: Header | null = null
  /** The highest block number known to have come by the subscription. */
  #hintedNumber: number | null = null
  #polled: BlockRef | null = null
  #given: string | null = null
  #newAt: number

  constructor(parts: HeadWatchParts) {
    const { socket, clock, limits } = parts
    this.#parts = parts
    this.#newAt = clock.now()
    this.#subscription = new StandingSubscription({
      clock,
      limits,
      closed: socket.closed,
      changed: parts.changed,
      subscribe: () => socket.subscribe(['newHeads'], (head) => this.#notified(head)),
    })
    void parts.socket.closed.then(() => this.#bell.ring())
  }

  /** Subscribes, again if it already was. A node that refuses is only polled. */
  async subscribe(): Promise<void> {
    this.#hintedNumber = null
    await this.#subscription.begin()
  }

  /** The node refuses to notify of heads for now: it is polled instead. */
  get isRefused(): boolean {
    return this.#subscription.isRefused
  }

  /**
   * Resolves with the next head that was not returned before. Rejects when the node fails or the
   * connection ends.
   */
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

  /** Polls more often without a subscription, since nothing else shows new heads. */
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

  #notified(value: unknown): void {
    let head: Header
    try {
      head = parseHeader(value)
    } catch {
      // Even an unreadable notification means a new head: the poll reads it.
      this.#bell.ring()
      return
    }
    // Some nodes send transactions along, and not all of these send them complete.
    this.#hint = { ...head, txHashes: null, values: null }
    this.#hintedNumber = head.ref.number
    this.#bell.ring()
  }

  async #poll(): Promise<Header> {
    const before = this.#polled
    const latest = await this.#parts.node.latest()
    this.#parts.answered()
    this.#polled = latest.ref
    // The first poll after subscribing is where the subscription starts.
    this.#hintedNumber ??= latest.ref.number
    // A live subscription would have delivered the head of the previous poll by now.
    const isLive = before === null || this.#hintedNumber >= before.number
    if (!isLive && this.#subscription.isOn) this.#parts.silent()
    return latest
  }

  #checkStill(): void {
    const { clock, limits, blockMs, still } = this.#parts
    const { headSilentAfterMs } = sightTimes(limits, blockMs)
    if (headSilentAfterMs === null) return
    if (clock.now() - this.#newAt >= headSilentAfterMs) still()
  }
}
