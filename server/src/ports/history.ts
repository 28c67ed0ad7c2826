/** The history as the engine needs it, with the guarantees it builds on. */
import type { Subject, SubjectKind } from '@settlewire/core/history/subject'
import type { EventTexts, Projection, Revival } from '@settlewire/core/history/subject-kind'
import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'
import type { Acceptance } from '@settlewire/core/payment/payment'
import type { ChainHead, Policy } from '@settlewire/core/payment/policy'
import type { Fence } from './processes.ts'

/** One subject's share of a batch, whatever its kind. */
export interface Append {
  readonly subject: Subject
  readonly merchantId: string
  readonly livemode: boolean
  /** The sequence the subject must still be at; 0 opens it. */
  readonly expectedSequence: number
  readonly events: readonly EventTexts[]
  /** What is stored of it beside them, as it is after them. */
  readonly projection: Projection
  /** The address index this opening uses up. Only with `expectedSequence: 0`. */
  readonly depositIndex?: number
}

/**
 * How one chain's cursor moves, together with the effects of the blocks it passes. A step that is
 * stored in parts moves it with each part: the first one takes the view of the step and what the step
 * undoes, those between leave all as it is, and the last one passes the blocks.
 */
export interface CursorMove {
  readonly chain: string
  /** The view the cursor must be at; the move fails with `cursor_conflict` when it is not. */
  readonly fromView: number
  /** Whether the step of that view must be begun and not finished; fails in the same way. Left out: no. */
  readonly fromOpen?: boolean
  readonly head: ChainHead
  /** Hashes that left the canonical chain. */
  readonly reverted: readonly string[]
  /** Blocks that joined it, oldest first. The last one is the cursor. */
  readonly applied: readonly BlockRef[]
  /** What is unfinished after it; null: nothing. Left out: what was before. */
  readonly unfinished?: Unfinished | null
}

/** What steps have left that were stored in part and never finished. */
export interface Unfinished {
  /** Whether that is the step of the cursor's view: its last part may still come. */
  readonly isOpen: boolean
  /**
   * The blocks that these steps undid or applied, none of them passed by the cursor. Payments may know
   * of any of them, or know it as undone, until a later step applies it or undoes it.
   */
  readonly blocks: readonly BlockRef[]
  /** Of these the hashes of those that the steps told of as final. */
  readonly final: readonly string[]
}

/** The answer a client was given under an Idempotency-Key, kept so that it can be given again. */
export interface IdempotentResult {
  readonly merchantId: string
  readonly livemode: boolean
  readonly key: string
  /** SHA-256 of method, path and canonical body. */
  readonly requestHash: string
  readonly status: number
  /** The answer, where it is not the resource; else null. Nothing secret is stored. */
  readonly told: string | null
  /** Else the answer is the resource as it stood at this sequence. */
  readonly paymentId: string
  readonly sequence: number
  readonly at: Instant
}

/** Everything that becomes true together. */
export interface Batch {
  readonly appends: readonly Append[]
  readonly cursors?: readonly CursorMove[]
  readonly idempotency?: readonly IdempotentResult[]
  /** Under which leases it is written. */
  readonly fences?: readonly Fence[]
}

/**
 * An event of any kind as everybody may see it: what is announced, streamed, listed and delivered.
 * Nothing of what made it true is in it.
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
  /** The event's data exactly as it goes out: encoded once, stored as text, never re-encoded. */
  readonly dataJson: string
  /** When the commit was known; null for events read back. For lag only. */
  readonly committedAt: Instant | null
}

/** An event with what made it true and the seal that holds it to the one before. Never leaves the server. */
export interface SealedEvent extends StoredEvent {
  /** As it was stored. Read by fold, audit and packs alone; never parsed where events are streamed. */
  readonly evidenceJson: string
  /** `seal` of core, over the seal of the event before, or over `noSeal`. */
  readonly seal: string
}

/** A page of a merchant's subjects of one kind. */
export interface SubjectQuery {
  readonly merchantId: string
  readonly livemode: boolean
  readonly status?: string
  readonly reference?: string
  /** Stored forms: the payments of any of them. */
  readonly txHash?: readonly string[]
  readonly address?: readonly string[]
  /** The id of the last one of the page before. Newest first. */
  readonly cursor?: string
  readonly limit: number
}

/** A payment as the projection holds it, for those who watch addresses. */
export interface Watched {
  readonly paymentId: string
  readonly livemode: boolean
  readonly accept: readonly Pick<Acceptance, 'chain' | 'address' | 'token'>[]
}

/** A deadline, as a row of the store. */
export interface Due {
  readonly subjectId: string
  readonly dueAt: Instant
}

/** Which deadlines are read. */
export interface DueQuery {
  readonly kind: SubjectKind
  readonly now: Instant
  readonly limit: number
  /** The last row that was read before; left out: from the first one on. */
  readonly after?: Due | null | undefined
}

/** A payment whose watch is over, as it stood at this sequence. */
export interface Ended {
  readonly paymentId: string
  readonly sequence: number
}

/** Where a chain was read up to. `recent` is newest first and reaches back as far as reorgs may. */
export interface ChainPosition {
  readonly genesisHash: string
  readonly head: ChainHead
  readonly recent: readonly BlockRef[]
  /** Left out: every step was finished. */
  readonly unfinished?: Unfinished
}

/** Called with a subject whose stored state cannot be read, and with the fault that shows. */
export type Unreadable = (id: string, error: unknown) => void

/**
 * Append-only history of subjects and its projections. One writer wins a sequence; readers see a
 * gapless prefix. What is returned is committed. Operating failures are `Failure`s with
 * `store_unavailable`. After a read they say nothing but that it may be tried again. After a write
 * they leave open whether it was committed: the connection may have been lost behind the commit.
 * The same write may be tried again and is never done twice; what was done then shows as a conflict.
 */
export interface EventStore {
  /**
   * All of the batch or nothing, in one transaction. Throws `sequence_conflict` when a subject has
   * moved, `cursor_conflict` when a cursor has, `idempotency_key_reused` when a key is taken,
   * `lease_lost` when another process has one of the leases.
   * The answer has the events in the batch's order.
   */
  append(batch: Batch): Promise<readonly StoredEvent[]>

  /**
   * Subjects of a kind by id, as of their last event. Unknown ids, and those of another kind, are left
   * out. One whose stored state cannot be read is left out as well, and `unreadable` is called with it;
   * without `unreadable` the call throws `internal_contradiction`.
   */
  load<State>(
    kind: Revival<State>,
    ids: readonly string[],
    unreadable?: Unreadable,
  ): Promise<readonly State[]>
  /** Events with `sequence > after`, ascending, at most `limit`. */
  read(subjectId: string, after: number, limit: number): Promise<readonly StoredEvent[]>
  /** The same events with what made them true. For fold, audit and packs: never on the way to a stream. */
  history(subjectId: string, after: number, limit: number): Promise<readonly SealedEvent[]>
  /** The last event. Null for an unknown subject. */
  last(subjectId: string): Promise<StoredEvent | null>
  /** The event with this id, whatever its subject. Null when there is none. */
  find(eventId: string): Promise<StoredEvent | null>
  /** The sequence each payment is at. Unknown ids are left out. */
  heads(ids: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** A merchant's feed: `position > after`, ascending, at most `limit`. */
  feed(
    merchantId: string,
    livemode: boolean,
    after: number,
    limit: number,
  ): Promise<readonly StoredEvent[]>
  /**
   * A page of a merchant's subjects of a kind, and the cursor of the next one. One whose stored state
   * cannot be read is treated as by `load`.
   */
  list<State>(
    kind: Revival<State>,
    query: SubjectQuery,
    unreadable?: Unreadable,
  ): Promise<{ found: readonly State[]; next: string | null }>

  /** What was answered under this key, or null. */
  idempotent(merchantId: string, livemode: boolean, key: string): Promise<IdempotentResult | null>
  /** Forgets answers that were given before an instant, `limit` at most; how many it were. */
  forgetAnswers(before: Instant, limit: number): Promise<number>

  /**
   * Subjects of one kind whose next deadline (`nextDeadline` of the kind) has come: earliest first, by
   * id where two are the same, and only those that come after `after` in this order.
   */
  due(query: DueQuery): Promise<readonly Due[]>
  /** The earliest deadline of the kind that comes after `after`, or null. */
  nextDue(kind: SubjectKind, after?: Due | null): Promise<Instant | null>
  /**
   * Gives `take` every payment whose addresses are still watched, oldest first, in runs, all as they
   * stood at one moment.
   */
  watched(take: (run: readonly Watched[]) => void): Promise<void>
  /** Payments whose addresses are still watched, with a transaction on this chain that is not final yet. */
  unsettled(chain: string): Promise<readonly string[]>
  /** Payments whose addresses are still watched, with money in a block of this chain, final ones too. */
  paid(chain: string): Promise<readonly string[]>
  /** Payments with a transaction in one of these blocks. */
  inBlocks(chain: string, blockHashes: readonly string[]): Promise<readonly string[]>
  /**
   * Ends the watch of these payments: their `dueAt` becomes null and `watched` leaves them out. One
   * that has moved is left as it is; the answer has the ids of the others. What is appended to one
   * later begins its watch again. Throws `lease_lost`, and ends none, when another process has one of
   * the leases.
   */
  release(ended: readonly Ended[], fences?: readonly Fence[]): Promise<readonly string[]>

  /** Null for a chain never read. */
  position(chain: string): Promise<ChainPosition | null>
  /** Starts a chain at a block. Throws `chain_mismatch` when it was started on another genesis. */
  begin(chain: string, genesisHash: string, at: BlockRef): Promise<ChainPosition>
}

/**
 * Every policy that ever decided, by its version: old decisions are folded under the rules that made
 * them, for ever. Fails as `EventStore` does.
 */
export interface Policies {
  all(): Promise<readonly Policy[]>
  /** Kept from now on. Throws `invalid_config` when the version stands for other rules already. */
  keep(policy: Policy): Promise<void>
}
