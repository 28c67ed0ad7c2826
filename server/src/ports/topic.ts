/** What can be followed, and hints that it has moved, from those who write to those who read. */
import type { StoredEvent } from './history.ts'
import type { Stop } from './stop.ts'

/**
 * Something that is followed by position. Two with one key are the same. Of events the positions count
 * 1, 2, 3 … without a gap; of the sight of a chain they rise, and only the last one is kept.
 */
export interface Topic<Item = StoredEvent> {
  /** `subject:<kind>:<id>`, `feed:<merchant>:<mode>`, or `chain:<name>`. */
  readonly key: string
  /** What comes after a position, ascending, at most `limit`. Fails as `EventStore` does. */
  read(after: number, limit: number): Promise<readonly Item[]>
  /** Where an item stands. */
  positionOf(item: Item): number
}

/** "This topic is now at n", perhaps with the events that took it there, to save a read. */
export interface Hint {
  readonly topic: string
  readonly position: number
  readonly events?: readonly StoredEvent[]
}

/** Tells every process that a topic moved. May drop, repeat, reorder: a hint, never the truth. */
export interface Backplane {
  announce(hint: Hint): void
  subscribe(topic: string, listener: (hint: Hint) => void): Stop
  /** Resolves when a message to itself came back; rejects when none did in time. */
  prove(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
