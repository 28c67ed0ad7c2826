import type { Stop, StoredEvent } from '../ports.ts'
import type { Backplane } from '../topic-ports.ts'
import { type Subscriber, Topic, type TopicNeeds } from './hub-topic.ts'

export type { Frame } from './hub-frame.ts'
export type { Subscriber } from './hub-topic.ts'

/** What the hub needs of the world. */
export interface HubNeeds extends TopicNeeds {
  readonly backplane: Pick<Backplane, 'subscribe'>
}

/** Where a subscriber begins. */
export interface Beginning {
  readonly paymentId: string
  /** The sequence it holds already; 0 for none. */
  readonly after: number
  /** The payment's last event, when it was just read anyway: spares a read. */
  readonly head?: StoredEvent
}

const pruneMs = 5 * 60_000

/**
 * Gives every subscriber each event after its position, exactly once and in order, whatever is
 * announced, lost, doubled or late. One per process. The backplane is listened to only for payments
 * that someone follows.
 */
export class Hub {
  readonly #needs: HubNeeds
  readonly #topics = new Map<string, Topic>()
  #stopPruning: Stop | null = null

  constructor(needs: HubNeeds) {
    this.#needs = needs
  }

  /** Pushes what is at hand before it returns, then what comes. */
  attach(subscriber: Subscriber, { paymentId, after, head }: Beginning): Stop {
    const topic = this.#topics.get(paymentId) ?? this.#open(paymentId)
    return topic.attach(subscriber, after, head)
  }

  /**
   * Somebody knows that a payment is at this sequence. Resolves when those who follow it have been
   * given what the history holds, or when that was given up. Never rejects.
   */
  async look(paymentId: string, sequence: number): Promise<void> {
    await this.#topics.get(paymentId)?.look(sequence)
  }

  /** How many payments are followed. */
  get size(): number {
    return this.#topics.size
  }

  /** Lets every subscriber go. */
  close(): void {
    for (const topic of this.#topics.values()) topic.close()
  }

  /** Subscribes before anything is read: what happens in between is announced to us. */
  #open(paymentId: string): Topic {
    const empty = (): void => {
      stop()
      this.#topics.delete(paymentId)
      if (this.#topics.size === 0) this.#stopPruning?.()
    }
    const topic = new Topic(paymentId, this.#needs, empty)
    const stop = this.#needs.backplane.subscribe(paymentId, (moved) => topic.moved(moved))
    this.#topics.set(paymentId, topic)
    if (this.#topics.size === 1) this.#pruneLater()
    return topic
  }

  #pruneLater(): void {
    this.#stopPruning = this.#needs.clock.after(pruneMs, () => {
      for (const topic of this.#topics.values()) topic.prune()
      this.#pruneLater()
    })
  }
}
