/** What can be followed, and hints that it has moved, from those who write to those who read. Beside `ports.ts`. */
import type { Stop, StoredEvent } from './ports.ts'

/** A history that is followed: positions count 1, 2, 3 … without a gap. Two with one key are the same. */
export interface Topic {
  /** `subject:<kind>:<id>`, or `feed:<merchant>:<mode>`. */
  readonly key: string
  /** Events after a position, ascending, at most `limit`. Fails as `EventStore` does. */
  read(after: number, limit: number): Promise<readonly StoredEvent[]>
  /** Where an event stands in this history. */
  positionOf(event: StoredEvent): number
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
