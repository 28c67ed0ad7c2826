import type { EventData } from '@settlewire/core/payment/event'
import type { EventType, Finality, Status } from '@settlewire/core/payment/status-model'
import { wireType } from '@settlewire/core/wire/wire'
import type { EventStore, StoredEvent } from '../../server/src/ports/history.ts'
import type { FeedKey } from '../../server/src/ports/processes.ts'

/** The fields that differ between test events. */
export interface EventSketch {
  readonly type?: EventType
  readonly status?: Status
  readonly finality?: Finality
  readonly committedAt?: number
  /** Pads the event to the size that a test needs. */
  readonly note?: string
}

/** A stored event for streams: realistic in every field that is pushed, dummies in the others. */
export function storedEvent(
  paymentId: string,
  sequence: number,
  { type = 'confirming', status = 'confirming', ...more }: EventSketch = {},
): StoredEvent {
  const { finality = 'none', committedAt, note } = more
  const data: EventData = {
    ...{ id: paymentId, sequence, status, previousStatus: 'awaiting', txHash: null },
    ...{ chain: 'local', chainId: 31337, token: 'USDC', confirmations: sequence },
    ...{ requiredConfirmations: 12, expectedAmount: '150.00', pendingAmount: '0.00' },
    ...{ receivedAmount: '150.00', flags: [], finality, detectedAt: null, settledAt: null },
    ...(note !== undefined && { note }),
  }
  const at = Date.UTC(2026, 0, 1) + sequence
  return {
    subject: { kind: 'payment_intent', id: paymentId },
    ...{ id: eventId(paymentId, sequence), type: wireType(type), at, sequence },
    ...{ merchantId: 'mer_test', livemode: false, position: sequence },
    dataJson: JSON.stringify(data),
    committedAt: committedAt ?? null,
  }
}

/** The id that `storedEvent` gives to an event of a payment. */
export function eventId(paymentId: string, sequence: number): string {
  const payment = [...paymentId].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7)
  return `evt_${String(payment % 1e9).padStart(13, '0')}${String(sequence).padStart(13, '0')}`
}

type Reads = Pick<EventStore, 'read' | 'last' | 'find' | 'heads'>

/** A history in memory whose reads can be held and can fail. Committed events never change. */
export class HeldHistory implements Reads {
  readonly #payments = new Map<string, StoredEvent[]>()
  #held: (() => void)[] | null = null
  /** While set, every read fails. */
  down = false
  /** The arguments of every `read`: `[after, limit]`. */
  readonly reads: [number, number][] = []
  /** Every call of `heads`, as the number of payments in it. */
  readonly headsAsked: number[] = []

  /** Commits the next event of a payment. */
  append(paymentId: string, sketch: EventSketch = {}): StoredEvent {
    const events = this.#payments.get(paymentId) ?? []
    const stored = storedEvent(paymentId, events.length + 1, sketch)
    this.#payments.set(paymentId, [...events, stored])
    return stored
  }

  head(paymentId: string): number {
    return this.#payments.get(paymentId)?.length ?? 0
  }

  /** From now on an answer is computed at the call and returned when it is released. */
  hold(): void {
    this.#held ??= []
  }

  /** The number of held answers. */
  get held(): number {
    return this.#held?.length ?? 0
  }

  /** Releases one held answer: the oldest, or the one at `index`. */
  release(index = 0): void {
    this.#held?.splice(index, 1)[0]?.()
  }

  /** Releases all answers and stops holding. */
  releaseAll(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const give of held) give()
  }

  read(paymentId: string, after: number, limit: number): Promise<readonly StoredEvent[]> {
    this.reads.push([after, limit])
    return this.#answer((this.#payments.get(paymentId) ?? []).slice(after, after + limit))
  }

  last(paymentId: string): Promise<StoredEvent | null> {
    return this.#answer(this.#payments.get(paymentId)?.at(-1) ?? null)
  }

  find(id: string): ReturnType<EventStore['find']> {
    const found = [...this.#payments.values()].flat().find((stored) => stored.id === id)
    return this.#answer(found ?? null)
  }

  heads(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    this.headsAsked.push(ids.length)
    const known = ids.filter((id) => this.#payments.has(id))
    return this.#answer(new Map(known.map((id) => [id, this.head(id)])))
  }

  /** It has no feeds. */
  feedHeads(feeds: readonly FeedKey[]): ReturnType<EventStore['feedHeads']> {
    return this.#answer(feeds.map((feed) => ({ ...feed, position: 0 })))
  }

  #answer<T>(answer: T): Promise<T> {
    const failed = this.down
    return new Promise((resolve, reject) => {
      const give = (): void => (failed ? reject(new Error('the history is down')) : resolve(answer))
      if (this.#held) this.#held.push(give)
      else give()
    })
  }
}
