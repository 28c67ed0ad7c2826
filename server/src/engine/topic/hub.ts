import type { StoredEvent } from '../../ports/history.ts'
import type { Stop } from '../../ports/stop.ts'
import type { Backplane, Topic } from '../../ports/topic.ts'
import { OpenTopic, type Subscriber, type TopicNeeds } from './hub-topic.ts'

export type { Frame } from './hub-frame.ts'
export type { Subscriber } from './hub-topic.ts'

/** What the hub needs of the world. */
export interface HubNeeds extends TopicNeeds {
  readonly backplane: Pick<Backplane, 'subscribe'>
}

/** Where a subscriber begins. */
export interface Beginning {
  readonly topic: Topic
  /** The position it holds already; 0 for none. */
  readonly after: number
  /** The topic's last event, when it was just read anyway: spares a read. */
  readonly head?: StoredEvent
}

const pruneMs = 5 * 60_000

/**
 * Gives every subscriber each event after its position, exactly once and in order, whatever is
 * announced, lost, doubled or late. One per process. The backplane is listened to only for topics
 * that someone follows.
 */
export class Hub {
  readonly #needs: HubNeeds
  readonly #topics = new Map<string, OpenTopic>()
  #stopPruning: Stop | null = null

  constructor(needs: HubNeeds) {
    this.#needs = needs
  }

  /** Pushes what is at hand before it returns, then what comes. */
  attach(subscriber: Subscriber, { topic, after, head }: Beginning): Stop {
    const open = this.#topics.get(topic.key) ?? this.#open(topic)
    return open.attach(subscriber, after, head)
  }

  /**
   * Somebody knows that a topic is at this position. Resolves when those who follow it have been
   * given what the history holds, or when that was given up. Never rejects.
   */
  async look(key: string, position: number): Promise<void> {
    await this.#topics.get(key)?.look(position)
  }

  /** How many topics are followed. */
  get size(): number {
    return this.#topics.size
  }

  /** Lets every subscriber go. */
  close(): void {
    for (const topic of this.#topics.values()) topic.close()
  }

  /** Subscribes before anything is read: what happens in between is announced to us. */
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
