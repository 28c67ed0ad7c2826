import type { StoredEvent } from '../../ports/history.ts'
import type { Stop } from '../../ports/stop.ts'
import type { Backplane, Topic } from '../../ports/topic.ts'
import { OpenTopic, type Subscriber, type TopicNeeds } from './hub-topic.ts'

export type { Frame } from './hub-frame.ts'
export type { Subscriber } from './hub-topic.ts'

/** What the hub needs. */
export interface HubNeeds extends TopicNeeds {
  readonly backplane: Pick<Backplane, 'subscribe'>
}

/** Where a subscriber begins. */
export interface Beginning {
  readonly topic: Topic
  /** The last position that it has; 0: none. */
  readonly after: number
  /** The topic's last event, if it was just read anyway: saves a read. */
  readonly head?: StoredEvent
}

const pruneMs = 5 * 60_000

/**
 * Delivers to every subscriber each event after its position, exactly once and in order, or ends
 * its subscription with `lost()`; even if hints are lost, repeated or late. One per process. It
 * subscribes to the backplane only for topics that have a subscriber.
 */
export class Hub {
  readonly #needs: HubNeeds
  readonly #topics = new Map<string, OpenTopic>()
  #stopPruning: Stop | null = null

  constructor(needs: HubNeeds) {
    this.#needs = needs
  }

  /** Pushes the cached events before it returns, and later ones as they come. */
  attach(subscriber: Subscriber, { topic, after, head }: Beginning): Stop {
    const open = this.#topics.get(topic.key) ?? this.#open(topic)
    return open.attach(subscriber, after, head)
  }

  /**
   * Reports that a topic is at this position. Resolves when its subscribers have all events of the
   * history, or after giving up. Never rejects.
   */
  async look(key: string, position: number): Promise<void> {
    await this.#topics.get(key)?.look(position)
  }

  /** How many topics have subscribers. */
  get size(): number {
    return this.#topics.size
  }

  /** Drops every subscriber. */
  close(): void {
    for (const topic of this.#topics.values()) topic.close()
  }

  /**
   * Subscribes to the backplane before anything is read, so that no commit in between is missed.
   */
  #open(topic: Topic): OpenTopic {
    const empty = (): void => {
      stop()
      this.#topics.delete(topic.key)
      if (this.#topics.size === 0) this.#stopPruning?.()
    }
    const open = new OpenTopic(topic, this.#needs, empty)
    const stop = this.#needs.backplane.subscribe(topic.key, (hint) => open.moved(hint))
    this.#topics.set(topic.key, open)
    if (this.#topics.size === 1) this.#pruneLater()
    return open
  }

  #pruneLater(): void {
    this.#stopPruning = this.#needs.clock.after(pruneMs, () => {
      for (const topic of this.#topics.values()) topic.prune()
      this.#pruneLater()
    })
  }
}
