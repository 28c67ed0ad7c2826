/** Topics that readers follow by position, and hints from writers that a topic has moved. */
import type { StoredEvent } from './history.ts'
import type { Stop } from './stop.ts'

/**
 * Something that readers follow by position. Topics with the same key are the same topic. Positions
 * of events are 1, 2, 3 … without a gap; positions of a chain's sight rise, and only the last is
 * kept.
 */
export interface Topic<Item = StoredEvent> {
  /** `subject:<kind>:<id>`, `feed:<merchant>:<mode>`, or `chain:<name>`. */
  readonly key: string
  /** Items after a position, in ascending order, at most `limit`. Fails as `EventStore` does. */
  read(after: number, limit: number): Promise<readonly Item[]>
  /** The position of an item. */
  positionOf(item: Item): number
}

/** "This topic is now at n". May carry the events up to n, which saves the subscriber a read. */
export interface Hint {
  readonly topic: string
  readonly position: number
  readonly events?: readonly StoredEvent[]
}

/** Sends hints to every process. It may lose, repeat and reorder them: the store has the truth. */
export interface Backplane {
  announce(hint: Hint): void
  subscribe(topic: string, listener: (hint: Hint) => void): Stop
  /** Resolves when a message sent to itself returns; rejects when `signal` aborts first. */
  prove(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
