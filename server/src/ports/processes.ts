/**
 * What several processes on one database need of each other, with the guarantees: what was
 * committed, who does what, and what a follower knows.
 */
import type { Subject } from '@settlewire/core/history/subject'

// ── what was committed ─────────────────────────────────────────────────────────────────────────

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

/** A subject of any kind that another process has changed, with its last event as far as that was read. */
export interface ForeignSubject extends FeedKey {
  readonly subject: Subject
  readonly sequence: number
  readonly position: number
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
  /** Those of these subjects whose watch has ended. The end of a watch makes no event. */
  ended(ids: readonly string[]): Promise<readonly string[]>
}

// ── who does what ──────────────────────────────────────────────────────────────────────────────

/** Proof of a lease. It goes along with what is written under it. */
export interface Fence {
  readonly lease: string
  readonly token: number
}

/** A process, and where it runs: one place has one process at a time, so an earlier one there is dead. */
export interface Holder {
  readonly place: string
  readonly process: string
}

/**
 * Leases on work that one process at a time may do. They end by the database's clock. Fails as
 * `EventStore` does.
 */
export interface Leases {
  /**
   * Prolongs what `holder` has of these leases and takes what is free, or was held at its place by a
   * process before it, each for `forMs` from now.
   * Answers with the token of each that it holds now; a token is never given to two holders.
   */
  keep(
    holder: Holder,
    leases: readonly string[],
    forMs: number,
  ): Promise<ReadonlyMap<string, number>>
  /** Ends all leases of a holder: others may take them at once. */
  giveBack(holder: Holder): Promise<void>
}

// ── what a follower knows ──────────────────────────────────────────────────────────────────────

/** How well a chain is seen, as the process that follows it said; and how long ago. */
export interface Told {
  readonly chain: string
  readonly body: string
  /** Rises whenever `word` was another than before. */
  readonly revision: number
  readonly ageMs: number
}

/** How well a chain is seen, on its way to the others. */
export interface Said {
  readonly body: string
  /** What of it is news: only another word makes another revision. */
  readonly word: string
}

/** A transaction that another process asks for. */
export interface Question {
  readonly id: number
  readonly chain: string
  readonly txHash: string
}

/** What followers say to the processes that follow another chain, or none. Fails as `EventStore` does. */
export interface Bulletin {
  /**
   * Replaces what was said of the chain, and answers with its revision; null, and nothing is said, when
   * the holder of `fence` was replaced since.
   */
  say(chain: string, said: Said, fence: Fence): Promise<number | null>
  /** What was said of each chain last. */
  told(): Promise<readonly Told[]>
  /** Puts a question to whoever follows the chain; its id. */
  ask(chain: string, txHash: string): Promise<number>
  /** Questions on these chains that have no answer and that somebody may still wait for. */
  questions(chains: readonly string[]): Promise<readonly Question[]>
  answer(id: number, body: string): Promise<void>
  /** The answer, or null as long as there is none. An answer is given once, then it is gone. */
  answerTo(id: number): Promise<string | null>
  /** Nobody waits for it any more. */
  withdraw(id: number): Promise<void>
}
