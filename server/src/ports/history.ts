/** The history of subjects that the engine needs, with the guarantees that it relies on. */
import type { Subject, SubjectKind } from '@settlewire/core/history/subject'
import type { EventTexts, Projection, Revival } from '@settlewire/core/history/subject-kind'
import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'
import type { Acceptance } from '@settlewire/core/payment/payment'
import type { ChainHead, Policy } from '@settlewire/core/payment/policy'
import type { FeedKey, Fence } from './processes.ts'

/** One subject's part of a batch, for subjects of any kind. */
export interface Append {
  readonly subject: Subject
  readonly merchantId: string
  readonly livemode: boolean
  /** The sequence that the subject must be at; 0: the append opens it. */
  readonly expectedSequence: number
  readonly events: readonly EventTexts[]
  /** The stored state of the subject after these events. */
  readonly projection: Projection
  /** The address index that this opening uses up. Only with `expectedSequence: 0`. */
  readonly depositIndex?: number
}

/**
 * A move of one chain's cursor, committed with the effects of the blocks that it passes. A step
 * stored in parts has one move per part: the first takes the step's view and undoes its reverted
 * blocks, those between change nothing, and the last passes the applied blocks.
 */
export interface CursorMove {
  readonly chain: string
  /** The view that the cursor must be at; else the append throws `cursor_conflict`. */
  readonly fromView: number
  /** Whether the step of that view must be unfinished; else `cursor_conflict`. Default: no. */
  readonly fromOpen?: boolean
  readonly head: ChainHead
  /** Hashes of the blocks that left the canonical chain. */
  readonly reverted: readonly string[]
  /** Blocks that joined it, oldest first. The last one becomes the cursor. */
  readonly applied: readonly BlockRef[]
  /** The unfinished steps after this move; null: none. Left out: unchanged. */
  readonly unfinished?: Unfinished | null
}

/** The remains of steps that were stored in part and never finished. */
export interface Unfinished {
  /** Whether the step of the cursor's view is among them: its last part may still come. */
  readonly isOpen: boolean
  /**
   * The blocks that these steps undid or applied, none of them passed by the cursor. Payments may
   * have recorded any of them as applied or undone, until a later step applies or undoes it.
   */
  readonly blocks: readonly BlockRef[]
  /** The hashes of those blocks that the steps reported as final. */
  readonly final: readonly string[]
}

/** An answer given under an Idempotency-Key, kept so that it can be repeated. */
export interface IdempotentResult {
  readonly merchantId: string
  readonly livemode: boolean
  readonly key: string
  /** SHA-256 of method, path and canonical body. */
  readonly requestHash: string
  readonly status: number
  /** The answer, if it is not the payment; else null. Contains no secrets. */
  readonly body: string | null
  /** If `body` is null, the answer is this payment as it was at this sequence. */
  readonly paymentId: string
  readonly sequence: number
  readonly at: Instant
}

/** All changes that are committed together. */
export interface Batch {
  readonly appends: readonly Append[]
  readonly cursors?: readonly CursorMove[]
  readonly idempotency?: readonly IdempotentResult[]
  /** The leases under which the batch is written. */
  readonly fences?: readonly Fence[]
}

/**
 * The public part of an event of any kind, which is announced, streamed, listed and delivered. It
 * does not contain the event's evidence.
 */
export interface StoredEvent {
  readonly subject: Subject
  readonly merchantId: string
  readonly livemode: boolean
  /** 1, 2, 3 … per merchant and mode without a gap, in commit order. */
  readonly position: number
  /** 1, 2, 3 … per subject without a gap. */
  readonly sequence: number
  readonly id: string
  /** The full name on the wire: `payment_intent.confirming`. */
  readonly type: string
  readonly at: Instant
  /** The event's data exactly as it is sent: encoded once, stored as text, never re-encoded. */
  readonly dataJson: string
  /** When the commit was known here; null for events read back. Only for measuring lag. */
  readonly committedAt: Instant | null
}

/** An event with its evidence, and its seal over the event before. Never leaves the server. */
export interface SealedEvent extends StoredEvent {
  /** As stored. Only for fold, audit and packs; never parsed on the way to a stream. */
  readonly evidenceJson: string
  /** `seal` of core, over the seal of the previous event, or over `noSeal`. */
  readonly seal: string
}

/** A page of a merchant's subjects of one kind, newest first. */
export interface SubjectQuery {
  readonly merchantId: string
  readonly livemode: boolean
  readonly status?: string
  readonly reference?: string
  /** Stored forms: matches the payments that have any of them. */
  readonly txHash?: readonly string[]
  readonly address?: readonly string[]
  /** The id of the last subject of the previous page. */
  readonly cursor?: string
  readonly limit: number
}

/** A payment as needed to watch its addresses. */
export interface Watched {
  readonly paymentId: string
  readonly livemode: boolean
  readonly accept: readonly Pick<Acceptance, 'chain' | 'address' | 'token'>[]
}

/** A deadline of a subject, as stored. */
export interface Due {
  readonly subjectId: string
  readonly dueAt: Instant
}

/** Which deadlines to read. */
export interface DueQuery {
  readonly kind: SubjectKind
  readonly now: Instant
  readonly limit: number
  /** The last row that was read before; left out: start with the first. */
  readonly after?: Due | null | undefined
}

/** A payment whose watch is over, as judged at this sequence. */
export interface EndedWatch {
  readonly paymentId: string
  readonly sequence: number
}

/** How far a chain was read. `recent` is newest first and reaches back as far as reorgs may. */
export interface ChainPosition {
  readonly genesisHash: string
  readonly head: ChainHead
  readonly recent: readonly BlockRef[]
  /** The unfinished steps; left out: every step was finished. */
  readonly unfinished?: Unfinished
}

/** Called for a subject whose stored state cannot be read, with the error. */
export type Unreadable = (id: string, error: unknown) => void

/**
 * The append-only history of subjects, and its projections. Of several writers for one sequence,
 * one succeeds. Readers see a prefix without gaps, and only committed data. Operating failures are
 * `Failure`s with code `store_unavailable`. A failed read may be tried again. A failed write may
 * have been committed, because the connection may have broken after the commit. The same write may
 * be tried again and is never applied twice: if it was committed, the second try throws a conflict.
 */
export interface EventStore {
  /**
   * Commits all of the batch or nothing, in one transaction, and returns the events in the batch's
   * order. Throws `sequence_conflict` when a subject has changed, `cursor_conflict` when a cursor
   * has moved, `idempotency_key_reused` when a key is taken, and `lease_lost` when another process
   * has one of the leases.
   */
  append(batch: Batch): Promise<readonly StoredEvent[]>

  /**
   * Subjects of a kind by id, as of their last event. Leaves out unknown ids, and ids of another
   * kind. Leaves out a subject whose stored state cannot be read and calls `unreadable` with it;
   * without `unreadable` the call throws `internal_contradiction`.
   */
  load<State>(
    kind: Revival<State>,
    ids: readonly string[],
    unreadable?: Unreadable,
  ): Promise<readonly State[]>
  /** Events with `sequence > after`, ascending, at most `limit`. */
  read(subjectId: string, after: number, limit: number): Promise<readonly StoredEvent[]>
  /**
   * The same events with their evidence. For fold, audit and packs; never on the way to a stream.
   */
  history(subjectId: string, after: number, limit: number): Promise<readonly SealedEvent[]>
  /** The last event of a subject. Null for an unknown one. */
  last(subjectId: string): Promise<StoredEvent | null>
  /** The event with this id, of any subject. Null for an unknown id. */
  find(eventId: string): Promise<StoredEvent | null>
  /** The current sequence of each subject, of any kind. Leaves out unknown ids. */
  heads(ids: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** Events of a merchant's feed with `position > after`, ascending, at most `limit`. */
  feed(
    merchantId: string,
    livemode: boolean,
    after: number,
    limit: number,
  ): Promise<readonly StoredEvent[]>
  /** The last position of each feed; 0 for a feed without events. */
  feedHeads(
    feeds: readonly FeedKey[],
  ): Promise<readonly (FeedKey & { readonly position: number })[]>
  /**
   * A page of a merchant's subjects of a kind, and the cursor of the next page. A subject whose
   * stored state cannot be read is treated as by `load`.
   */
  list<State>(
    kind: Revival<State>,
    query: SubjectQuery,
    unreadable?: Unreadable,
  ): Promise<{ found: readonly State[]; next: string | null }>

  /** The answer stored under this key, or null. */
  idempotent(merchantId: string, livemode: boolean, key: string): Promise<IdempotentResult | null>
  /** Deletes at most `limit` answers older than an instant; returns how many were deleted. */
  forgetAnswers(before: Instant, limit: number): Promise<number>

  /**
   * Subjects of one kind whose next deadline (`nextDeadline` of the kind) has come: earliest first,
   * equal ones by id, only those after `after` in this order, and at most `limit`.
   */
  due(query: DueQuery): Promise<readonly Due[]>
  /** The earliest deadline of the kind after `after`, or null. */
  nextDue(kind: SubjectKind, after?: Due | null): Promise<Instant | null>
  /**
   * Calls `take` with all payments whose addresses are still watched, oldest first and in several
   * runs, all as of one moment.
   */
  watched(take: (run: readonly Watched[]) => void): Promise<void>
  /** Watched payments with a transaction on this chain that is not final yet. */
  unsettled(chain: string): Promise<readonly string[]>
  /** Watched payments with money in a block of this chain, including final money. */
  paid(chain: string): Promise<readonly string[]>
  /** Payments with a transaction in one of these blocks. */
  inBlocks(chain: string, blockHashes: readonly string[]): Promise<readonly string[]>
  /**
   * Ends the watch of these payments: their `dueAt` becomes null and `watched` leaves them out.
   * Skips a payment that has changed; returns the ids of the others. A later append to a payment
   * begins its watch again. Throws `lease_lost`, and ends no watch, when another process has one of
   * the leases.
   */
  release(ended: readonly EndedWatch[], fences?: readonly Fence[]): Promise<readonly string[]>

  /** The position of a chain; null for a chain never read. */
  position(chain: string): Promise<ChainPosition | null>
  /**
   * Starts a chain at a block, or returns its position if it was started before. Throws
   * `chain_mismatch` when it was started with another genesis.
   */
  begin(chain: string, genesisHash: string, at: BlockRef): Promise<ChainPosition>
}

/**
 * Every policy that ever decided, by version: old decisions are always folded under the policy that
 * made them. Fails as `EventStore` does.
 */
export interface Policies {
  all(): Promise<readonly Policy[]>
  /**
   * Stores a policy. Throws `invalid_config` when its version is already stored with other rules.
   */
  keep(policy: Policy): Promise<void>
}
