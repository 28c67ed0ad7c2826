/**
 * What processes that share a database need of each other, with the guarantees: commits, leases,
 * and what the follower of a chain knows.
 */
import type { Subject } from '@settlewire/core/history/subject'

// ── commits ────────────────────────────────────────────────────────────────────────────────────

/** A merchant's feed in one mode. */
export interface FeedKey {
  readonly merchantId: string
  readonly livemode: boolean
}

/** An event of a feed, by its position: which subject it belongs to, and its sequence there. */
export interface FeedEntry {
  readonly position: number
  readonly subject: Subject
  readonly sequence: number
}

/** A subject of any kind that another process has changed, with the last event read of it. */
export interface ForeignSubject extends FeedKey {
  readonly subject: Subject
  readonly sequence: number
  readonly position: number
}

/**
 * The feeds of all merchants, for processes that did not write them. Fails as `EventStore` does.
 */
export interface Feeds {
  /**
   * Every feed with its last position, including all commits before the call. Empty when all
   * positions add up to `knownSum`: a process that already knows them all pays next to nothing.
   */
  feeds(knownSum: number): Promise<readonly (FeedKey & { readonly position: number })[]>
  /** Entries of a feed with `position > after`, ascending, at most `limit`. */
  entries(feed: FeedKey, after: number, limit: number): Promise<readonly FeedEntry[]>
  /** Those of these subjects whose watch has ended. The end of a watch emits no event. */
  ended(ids: readonly string[]): Promise<readonly string[]>
}

// ── leases ─────────────────────────────────────────────────────────────────────────────────────

/** Proof of a lease, passed with each write under it. The store refuses an outdated token. */
export interface Fence {
  readonly lease: string
  readonly token: number
}

/**
 * A process and where it runs. A place runs one process at a time: an earlier one there is dead.
 */
export interface LeaseHolder {
  readonly place: string
  readonly process: string
}

/**
 * Leases on work that only one process at a time may do. They expire by the database's clock. Fails
 * as `EventStore` does.
 */
export interface Leases {
  /**
   * Renews those of these leases that `holder` has, and takes those that are free or belong to an
   * earlier process at its place, each for `forMs` from now. Returns the token of each lease that
   * it holds now. No two holders ever get the same token.
   */
  keep(
    holder: LeaseHolder,
    leases: readonly string[],
    forMs: number,
  ): Promise<ReadonlyMap<string, number>>
  /** Ends all leases of a holder: other processes may take them at once. */
  giveBack(holder: LeaseHolder): Promise<void>
}

// ── what a follower knows ──────────────────────────────────────────────────────────────────────

/** A chain's sight as its follower last published it, and how long ago. */
export interface SightRecord {
  readonly chain: string
  readonly body: string
  /** Increases when a publication has another `word` than the one before. */
  readonly revision: number
  readonly ageMs: number
}

/** A chain's sight, to be published to the processes that do not follow the chain. */
export interface SightUpdate {
  readonly body: string
  /** The part that readers are notified of: only a change of `word` increases the revision. */
  readonly word: string
}

/** A transaction that another process asks the chain's follower to look up. */
export interface LookUpRequest {
  readonly id: number
  readonly chain: string
  readonly txHash: string
}

/** What followers publish for processes without their chain. Fails as `EventStore` does. */
export interface Bulletin {
  /**
   * Replaces the published sight of a chain and returns its revision. Null, with nothing published,
   * when another process has taken the lease of `fence` since.
   */
  publish(chain: string, update: SightUpdate, fence: Fence): Promise<number | null>
  /** The last published sight of each chain. */
  published(): Promise<readonly SightRecord[]>
  /** Asks the process that follows the chain to look up a transaction; returns the request's id. */
  ask(chain: string, txHash: string): Promise<number>
  /** The first requests on these chains without an answer that a process may still wait for. */
  questions(chains: readonly string[]): Promise<readonly LookUpRequest[]>
  answer(id: number, body: string): Promise<void>
  /**
   * The answer, or null: it is outstanding, was returned before (which deletes it), or is too old.
   */
  answerTo(id: number): Promise<string | null>
  /** Deletes a request, because the process that made it no longer waits. */
  withdraw(id: number): Promise<void>
}
