/**
 * What the engine needs from the world, with the guarantees it builds on: ordering, delivery,
 * failure, units. Adapters live beside `contract.ts` suites that hold them to these words.
 */
import type { PaymentEvent } from '@settlewire/core/event'
import type { Instant } from '@settlewire/core/instant'
import type { BlockRef, SeenTransfer, Slot, Source } from '@settlewire/core/observation'
import type { Acceptance, Payment } from '@settlewire/core/payment'
import type { ChainHead, Policy } from '@settlewire/core/policy'
import type { Status } from '@settlewire/core/status-model'
import type { Subject } from '@settlewire/core/subject'

/** Stops what the call that returned it has started. Calling it again does nothing. */
export type Stop = () => void

// ── the world ──────────────────────────────────────────────────────────────────────────────────

/** The only source of time and chance. */
export interface Clock {
  now(): Instant
  /** Calls back once, not before `delayMs` have passed. Never keeps the process alive. */
  after(delayMs: number, call: () => void): Stop
  /** Resolves after `delayMs`, or at once when the signal aborts. Never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** Cryptographically strong. */
  random(bytes: number): Uint8Array
  /** Evenly spread in [0, 1). For jitter, not for secrets. */
  chance(): number
}

/** Structured lines. Never pass secrets, transaction ids, addresses' owners or whole requests. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: object): Log
}

/** What an operator's graphs are made of. Labels are few and bounded; ids are never labels. */
export interface Metrics {
  streamOpened(transport: 'sse' | 'long_poll'): void
  /** `deliveredMs` is null when the stream ended before it was sent anything. */
  streamClosed(transport: 'sse' | 'long_poll', why: string): void
  streamFirstEvent(transport: 'sse' | 'long_poll', afterMs: number): void
  reconnected(outcome: 'resumed' | 'current' | 'reset' | 'finished'): void
  eventsPushed(transport: 'sse' | 'long_poll', count: number): void
  /** From the commit of an event to the moment its frame was handed to the sockets. */
  eventLag(ms: number): void
  appended(events: number, payments: number, tookMs: number): void
  chainMoved(chain: string, head: number, lagMs: number): void
  /** As it stands now; called whenever it changes and at least with every step. */
  chainSeen(health: ChainHealth): void
  chainSocket(chain: string, what: 'connected' | 'lost' | 'silent' | 'reorged'): void
  decided(type: string): void
  /** A payer named a transaction, and this is what the nodes knew of it. */
  claimed(known: string): void
}

// ── history ────────────────────────────────────────────────────────────────────────────────────

/** One payment's share of a batch. `state` is the payment after `events`. */
export interface Append {
  /** The sequence the payment must still be at; 0 opens it. */
  readonly expectedSequence: number
  readonly events: readonly PaymentEvent[]
  readonly state: Payment
  /** The address index this opening uses up. Only with `expectedSequence: 0`. */
  readonly depositIndex?: number
}

/** How one chain's cursor moves, together with the effects of the blocks it passes. */
export interface CursorMove {
  readonly chain: string
  /** The view the cursor must be at; the move fails with `cursor_conflict` when it is not. */
  readonly fromView: number
  readonly head: ChainHead
  /** Hashes that left the canonical chain. */
  readonly reverted: readonly string[]
  /** Blocks that joined it, oldest first. The last one is the cursor. */
  readonly applied: readonly BlockRef[]
}

/** The answer a client was given under an Idempotency-Key, kept so that it can be given again. */
export interface IdempotentResult {
  readonly merchantId: string
  readonly livemode: boolean
  readonly key: string
  /** SHA-256 of method, path and canonical body. */
  readonly requestHash: string
  readonly status: number
  /** The answer is the resource as it stood at this sequence; nothing secret is stored. */
  readonly paymentId: string
  readonly sequence: number
  readonly at: Instant
}

/** Everything that becomes true together. */
export interface Batch {
  readonly appends: readonly Append[]
  readonly cursors?: readonly CursorMove[]
  readonly idempotency?: readonly IdempotentResult[]
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

/** A page of a merchant's payments. */
export interface PaymentQuery {
  readonly merchantId: string
  readonly livemode: boolean
  readonly status?: Status
  readonly reference?: string
  readonly txHash?: string
  readonly address?: string
  /** The id of the last payment of the page before. Newest first. */
  readonly cursor?: string
  readonly limit: number
}

/** A payment as the projection holds it, for those who watch addresses. */
export interface Watched {
  readonly paymentId: string
  readonly livemode: boolean
  readonly accept: readonly Acceptance[]
}

/** Where a chain was read up to. `recent` is newest first and reaches back as far as reorgs may. */
export interface ChainPosition {
  readonly genesisHash: string
  readonly head: ChainHead
  readonly recent: readonly BlockRef[]
}

/**
 * Append-only history of subjects and its projections. One writer wins a sequence; readers see a
 * gapless prefix. What is returned is committed. Operating failures are `Failure`s with
 * `store_unavailable`. After a read they say nothing but that it may be tried again. After a write
 * they leave open whether it was committed: the connection may have been lost behind the commit.
 * The same write may be tried again and is never done twice; what was done then shows as a conflict.
 */
export interface EventStore {
  /**
   * All of the batch or nothing, in one transaction. Throws `sequence_conflict` when a payment has
   * moved, `cursor_conflict` when a cursor has, `idempotency_key_reused` when a key is taken.
   * The answer has the events in the batch's order.
   */
  append(batch: Batch): Promise<readonly StoredEvent[]>

  /** Payments by id, as of their last event. Unknown ids are left out. */
  load(ids: readonly string[]): Promise<readonly Payment[]>
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
  list(query: PaymentQuery): Promise<{ payments: readonly Payment[]; next: string | null }>

  /** What was answered under this key, or null. */
  idempotent(merchantId: string, livemode: boolean, key: string): Promise<IdempotentResult | null>

  /** Payments whose next deadline (`nextDeadline` of core) has come, earliest first. */
  due(now: Instant, limit: number): Promise<readonly { paymentId: string; dueAt: Instant }[]>
  /** The earliest deadline of all, or null. */
  nextDue(): Promise<Instant | null>
  /** Payments whose addresses are still watched, in id order after `afterId`. */
  watched(afterId: string, limit: number): Promise<readonly Watched[]>
  /** Payments with a transaction on this chain that is not final yet. */
  unsettled(chain: string): Promise<readonly string[]>
  /** Payments whose addresses are still watched, with money in a block of this chain, final ones too. */
  paid(chain: string): Promise<readonly string[]>
  /** Payments with a transaction in one of these blocks. */
  inBlocks(chain: string, blockHashes: readonly string[]): Promise<readonly string[]>
  /** Ends the watch of these payments: their `dueAt` becomes null and `watched` leaves them out. */
  release(ids: readonly string[]): Promise<void>

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

// ── chains ─────────────────────────────────────────────────────────────────────────────────────

/** What a follower must look for. Kept current by the engine; asked for every transaction seen. */
export interface WatchSet {
  /** 20 bytes, lower-case hex with 0x. True for deposit addresses that are still open. */
  has(address: string): boolean
  /**
   * False when no watched address ends like this text, told by its last few hex digits, of either
   * case: a cheap no for nearly everything that is asked. True says nothing.
   */
  mayHold(text: string): boolean
  /**
   * Counts up whenever an address or a tracked transaction joins: as long as it stands, what a block
   * was searched for needs no second search.
   */
  readonly joined: number
  /** Whether any open payment accepts the native coin here: only then are whole blocks fetched. */
  readonly wantsNative: boolean
  /** Whether an earlier sighting of this transaction is not settled: its fate must be reported. */
  tracks(txHash: string): boolean
  /** Whether a tracked transaction that is in no block wants this slot: then a rival is news. */
  wantsSlot(sender: string, nonce: number): boolean
  /** Tracked transactions that are in no block and whose slot is known: it may be used up by another. */
  openSlots(): Iterable<OpenSlot>
  /** Addresses of open payments that accept the native coin here, oldest first. */
  nativeAddresses(): Iterable<string>
  /**
   * All of the native coin that is on record as come to such an address in canonical blocks up to
   * this number, whether it counted or not. Null while it is not known whether that is all of it.
   */
  nativeOnRecord(address: string, throughBlock: number): bigint | null
}

/** A transaction that waits for its turn. */
export interface OpenSlot {
  readonly txHash: string
  readonly sender: string
  readonly nonce: number
}

/** A pending transaction that matters to us. */
export interface Sighting {
  readonly txHash: string
  /** What it would pay; null for one that only takes the slot of another (a rival). */
  readonly transfer: SeenTransfer | null
  /** Null where the node did not say. Never null for a rival. */
  readonly slot: Slot | null
  readonly preconfirmed: boolean
}

/** One block that joined the chain, with what in it concerns us. */
export interface AppliedBlock {
  readonly block: BlockRef
  /** Transfers to watched addresses, their receipts successful. */
  readonly transfers: readonly SeenTransfer[]
  /**
   * Tracked transactions that this block decided and that moved nothing to us; `replaced` ones are
   * not in it: by this block another transaction had used up their slot.
   */
  readonly movedNothing: readonly {
    readonly txHash: string
    readonly reason: 'reverted' | 'paid_elsewhere' | 'replaced'
  }[]
  /** Per transaction with transfers: every provider that showed the same receipt. Left out: the step's source. */
  readonly sources?: ReadonlyMap<string, readonly Source[]>
  /** Per transaction with transfers: every provider that has the block and denies them. Left out: none. */
  readonly deniedBy?: ReadonlyMap<string, readonly Source[]>
  /** Per transaction with transfers: what its calldata asked for and the slot it took, where that was read. */
  readonly calls?: ReadonlyMap<string, { readonly hint: SeenTransfer | null; readonly slot: Slot }>
}

/** One consistent advance of a chain: everything was fetched before anything is told. */
export interface ChainStep {
  readonly source: Source
  readonly at: Instant
  /** Blocks that left the canonical chain, newest first. They are undone before anything is applied. */
  readonly reverted: readonly BlockRef[]
  /** Of their tracked transactions, those the node holds as pending again. */
  readonly pendingAgain: ReadonlySet<string>
  /** Blocks that joined, oldest first, each the child of the one before. */
  readonly applied: readonly AppliedBlock[]
  /** Of canonical blocks told before: what another provider has shown of them since. */
  readonly late?: readonly AppliedBlock[]
  /** `view` is one more than the view of the step before. */
  readonly head: ChainHead
}

/** Whether a chain can be seen: fully, with doubts, or not at all right now. */
export type Visibility = 'ok' | 'degraded' | 'blind'

/** What one provider of a chain was worth lately. Counts are since the start of this process. */
export interface ProviderScore {
  readonly name: string
  readonly visibility: Visibility
  /** Why it is not `ok`, as a code; null when it is. */
  readonly reason: string | null
  readonly head: number | null
  /** Blocks behind the best provider, and milliseconds after it that its heads come, lately. */
  readonly lagBlocks: number
  readonly lagMs: number
  readonly logsAsked: number
  /** Of these: empty answers that turned out to be wrong. */
  readonly logsEmpty: number
  readonly disagreements: number
  readonly reconnects: number
  /** Pending transactions that it was the first to show. */
  readonly firstSeen: number
}

/** How well one chain is seen, and up to where. */
export interface ChainHealth {
  readonly chain: string
  readonly visibility: Visibility
  readonly head: number | null
  /** The header time of the last stored block. */
  readonly headAt: Instant | null
  /** Why it is not `ok`, as a code; null when it is. */
  readonly reason: string | null
  /** Left out where nobody counts them. */
  readonly providers?: readonly ProviderScore[]
}

/** What a node knows of a transaction that somebody named. */
export type LookUp =
  /** In a pool, or promised. `sighting` is null when it pays none of our addresses. */
  | { readonly kind: 'pending'; readonly source: Source; readonly sighting: Sighting | null }
  /** In a block: the follower has told of it, or will. */
  | {
      readonly kind: 'mined'
      readonly source: Source
      readonly blockNumber: number
      /** Of that block, where the node named it, and whether the receipt says success. */
      readonly blockHash?: string
      readonly succeeded?: boolean
    }
  /** Every configured provider was asked, and none knows it, neither pending nor mined. */
  | { readonly kind: 'nobody' }
  /** Not every provider could be asked, so nothing can be said. */
  | { readonly kind: 'unsure' }

/** An inclusion as one more provider showed it. */
export interface Corroborated {
  readonly txHash: string
  readonly block: BlockRef
  readonly transfers: readonly SeenTransfer[]
}

/** Where a follower delivers. */
export interface ChainSink {
  /**
   * Told when the blocks of a step are known to be there, before they are searched: resolves when
   * every payment that was opened before is in the watch set, whichever process opened it. Rejects
   * when that cannot be read.
   */
  prepare(chain: string): Promise<void>
  /**
   * Resolves when the step and the cursor are stored together. Rejects when nothing was; the
   * follower then reads the position again and goes on from there.
   */
  step(chain: string, step: ChainStep): Promise<void>
  /** Pending transactions that matter to us. May repeat. Never awaited by the socket. */
  pending(chain: string, source: Source, sightings: readonly Sighting[]): void
  /** One more provider shows the same receipts for blocks that were told before. May repeat. */
  corroborated(chain: string, source: Source, inclusions: readonly Corroborated[]): void
  /**
   * One more provider has the very blocks, and says that they do not hold this. May repeat. It stands
   * until the same provider corroborates it.
   */
  denied(chain: string, source: Source, inclusions: readonly Corroborated[]): void
  /** Told when `visibility` or `reason` changes. */
  health(health: ChainHealth): void
}

/** Follows one chain. Never rejects once started: what goes wrong shows in `health`. */
export interface ChainFollower {
  start(): void
  health(): ChainHealth
  /** Asks every provider. Never rejects. */
  lookUp(txHash: string): Promise<LookUp>
  close(): Promise<void>
}
