import type { Instant } from '../instant.ts'
import type { PolicyOf } from '../payment/fold.ts'
import type { SubjectKind } from './subject.ts'

/** An event as texts, as it is sealed and stored: the same for every kind. */
export interface EventTexts {
  readonly sequence: number
  readonly id: string
  /** The full name: `payment_intent.confirming`. */
  readonly type: string
  readonly at: Instant
  /** What everybody may see, encoded once. */
  readonly dataJson: string
  /** What made it true. */
  readonly evidenceJson: string
}

/** What a decision yields: the events, and the subject after them. No events means nothing changed. */
export interface Decided<State> {
  readonly state: State
  readonly events: readonly EventTexts[]
}

/** What every subject has, whatever its kind. */
export interface Identity {
  readonly id: string
  readonly merchantId: string
  readonly livemode: boolean
  /** Of its last event. */
  readonly sequence: number
}

/** What is stored of a subject beside its events. All of it can be made again from them. */
export interface Projection {
  /** The state, without what its first event fixed and without its transactions. */
  readonly standing: string
  readonly createdAt: Instant
  readonly reference: string | null
  readonly status: string
  readonly flags: readonly string[]
  /** When the clock next has something to say; null when it never has. */
  readonly dueAt: Instant | null
  /** Addresses that belong to it for ever, from its first event on. */
  readonly addresses: readonly string[]
  readonly transactions: readonly TransactionRow[]
}

/** A transaction of a subject, with its part of the state: a step that leaves it alone writes none of it. */
export interface TransactionRow {
  readonly chain: string
  readonly txHash: string
  /** The block that holds it now, by the latest verdict; null while it is in none. */
  readonly number: number | null
  /** Whether that block moved money. */
  readonly paid: boolean
  /** Whether nothing is expected to change any more. */
  readonly final: boolean
  /** What is known of it, as text: the state has it from here. */
  readonly part: string
  /** Every block that was ever said to hold it. */
  readonly inclusions: readonly InclusionRow[]
  /** The movements of money that it makes, made, or would make. */
  readonly transfers: readonly TransferRow[]
}

/** What a block said of a transaction. */
export interface InclusionRow {
  readonly blockHash: string
  /** Null while only its reorg is known. */
  readonly blockNumber: number | null
  readonly canonical: boolean
  readonly outcome: string
}

/** One movement of money, as a ledger and a search need it. */
export interface TransferRow {
  /** Where in the transaction: the place of its log, or a word. */
  readonly place: string
  /** The token contract, or null for the native coin. */
  readonly token: string | null
  readonly from: string
  readonly to: string
  /** In the token's smallest unit. */
  readonly amount: bigint
  readonly blockNumber: number | null
  /** How far it has come, depth left out: that is `final` of its transaction. */
  readonly stage: string
  /** Whether it is money of this subject. */
  readonly counts: boolean
}

/** A subject as it is stored, to be made a state again. */
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
 * One kind of subject, as a table entry: all that writing, storing, loading and checking need to know
 * of it. `Decision` is what its own rules yield; how they decide is their own affair.
 */
export interface Kind<State, Decision> {
  readonly name: SubjectKind
  /** What each of its event types begins with, the dot included. */
  readonly prefix: string
  /** Every status that one of its subjects can be in. */
  readonly statuses: readonly string[]
  readonly identify: (state: State) => Identity
  readonly decided: (decision: Decision) => Decided<State>
  readonly project: (state: State) => Projection
  /** The state that `project` was made of. */
  readonly revive: (stored: StoredState) => State
  /** The state after a run of events: the first of all opens it, sequences have no gap. */
  readonly apply: (state: State | null, events: readonly EventTexts[], policyOf: PolicyOf) => State
  readonly nextDeadline: (state: State) => Instant | null
}

/** What loading needs of a kind. */
export type Revival<State> = Pick<Kind<State, never>, 'name' | 'statuses' | 'revive'>
