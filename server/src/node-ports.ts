/**
 * What several processes on one database need of each other, with the guarantees: what was committed
 * by whom, and hints that something was. Beside `ports.ts`.
 */
import type { Stop, StoredEvent } from './ports.ts'

// ── what was committed ─────────────────────────────────────────────────────────────────────────

/** A merchant's feed in one mode. */
export interface FeedKey {
  readonly merchantId: string
  readonly livemode: boolean
}

/** An event of a feed, by its place: which payment has moved, and up to where. */
export interface FeedEntry {
  readonly position: number
  readonly paymentId: string
  readonly sequence: number
}

/** The feeds of all merchants, read by those who did not write them. Fails as `EventStore` does. */
export interface Feeds {
  /**
   * Every feed with its last position; nothing when the sum of all positions is `knownSum`, so that
   * one who knows them all asks for next to nothing. What was committed before the call is in it.
   */
  feeds(knownSum: number): Promise<readonly (FeedKey & { readonly position: number })[]>
  /** What a feed's events with `position > after` are of, ascending, at most `limit`. */
  entries(feed: FeedKey, after: number, limit: number): Promise<readonly FeedEntry[]>
}

// ── other nodes ────────────────────────────────────────────────────────────────────────────────

/** "Payment p is now at n", perhaps with the events that took it there, to save a read. */
export interface Moved {
  readonly paymentId: string
  readonly sequence: number
  readonly events?: readonly StoredEvent[]
}

/** Tells every node that a payment moved. May drop, repeat, reorder: a hint, never the truth. */
export interface Backplane {
  announce(moved: Moved): void
  subscribe(paymentId: string, listener: (moved: Moved) => void): Stop
  /** Resolves when a message to itself came back; rejects when none did in time. */
  prove(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
