import type { Instant } from '../instant.ts'
import type { PolicyOf } from '../payment/fold.ts'
import type { SubjectKind } from './subject.ts'

/**
 * An event as texts, as it is sealed and stored; the form is the same for every kind of subject.
 */
export interface EventTexts {
  readonly sequence: number
  readonly id: string
  /** The full name: `payment_intent.confirming`. */
  readonly type: string
  readonly at: Instant
  /** The public half of the event, encoded once. */
  readonly dataJson: string
  /** The evidence: what caused the event. */
  readonly evidenceJson: string
}

/** The result of a decision: the events, and the subject after them. No events: nothing changed. */
export interface Decided<State> {
  readonly state: State
  readonly events: readonly EventTexts[]
}

/** The fields that every subject has, whatever its kind. */
export interface Identity {
  readonly id: string
  readonly merchantId: string
  readonly livemode: boolean
  /** The sequence of its last event. */
  readonly sequence: number
}

/** The rows of a subject beside its events. All of them can be rebuilt from the events. */
export interface Projection {
  /** The state, without its transactions and without what its first event fixed. */
  readonly standing: string
  readonly createdAt: Instant
  readonly reference: string | null
  readonly status: string
  readonly flags: readonly string[]
  /** The next deadline; null when it has no deadline. */
  readonly dueAt: Instant | null
  /** The addresses that belong to it permanently, from its first event on. */
  readonly addresses: readonly string[]
  readonly transactions: readonly TransactionRow[]
}

/**
 * A transaction of a subject with its part of the state. A step that does not change it writes no
 * row.
 */
export interface TransactionRow {
  readonly chain: string
  readonly txHash: string
  /**
   * The number of the canonical block that counts for it: the one that holds it, or the one by
   * which another transaction had replaced it. Null while no block counts for it.
   */
  readonly number: number | null
  /** Whether it moved money to this subject in that block. */
  readonly paid: boolean
  /** Whether no further change is expected. */
  readonly final: boolean
  /** Its part of the state, as text. The state is loaded from here. */
  readonly part: string
  /** Every block for which a result of it was ever reported. */
  readonly inclusions: readonly InclusionRow[]
  /** The movements of money that it makes, made, or would make. */
  readonly transfers: readonly TransferRow[]
}

/** The latest report on a transaction in one block. */
export interface InclusionRow {
  readonly blockHash: string
  /** Null while only its reorg is known. */
  readonly blockNumber: number | null
  readonly canonical: boolean
  readonly outcome: string
}

/** One movement of money, for ledgers and searches. */
export interface TransferRow {
  /** The position in the transaction: a log index, or a name such as `hint`. */
  readonly place: string
  /** The token contract, or null for the native coin. */
  readonly token: string | null
  readonly from: string
  readonly to: string
  /** In the token's smallest unit. */
  readonly amount: bigint
  /** Null unless a block counts for it. */
  readonly blockNumber: number | null
  /** How far it has come, without depth: `final` of its transaction says that. */
  readonly stage: string
  /** Whether it counts as money of this subject. */
  readonly counts: boolean
}

/** The stored texts of a subject, from which its state is loaded. */
export interface StoredState {
  readonly id: string
  readonly createdAt: Instant
  /** The evidence of its first event. */
  readonly opening: string
  readonly standing: string
  /** A JSON list: the part of each transaction, by chain and hash. */
  readonly parts: string
}

/**
 * One kind of subject, as a table entry: everything that writing, storing, loading and checking
 * need to know about it. `Decision` is the result type of its own rules, which are not visible
 * here.
 */
export interface Kind<State, Decision> {
  readonly name: SubjectKind
  /** The beginning of each of its event types, including the dot. */
  readonly prefix: string
  /** Every status that a subject of this kind can have. */
  readonly statuses: readonly string[]
  readonly identify: (state: State) => Identity
  readonly decided: (decision: Decision) => Decided<State>
  readonly project: (state: State) => Projection
  /** Restores the state that `project` was called with. */
  readonly revive: (stored: StoredState) => State
  /**
   * The state after a run of events: the very first opens the subject, and sequences have no gap.
   */
  readonly apply: (state: State | null, events: readonly EventTexts[], policyOf: PolicyOf) => State
  readonly nextDeadline: (state: State) => Instant | null
}

/** The part of a kind that loading needs. */
export type Revival<State> = Pick<Kind<State, never>, 'name' | 'statuses' | 'revive'>
