import type { Instant } from '../instant.ts'
import type { Status } from './status-model.ts'

/**
 * The origin of a fact: `rpc:<name>`, `payer`, `merchant`, `clock`, or `settlewire` for what the
 * program itself found.
 */
export type Source = string

/** A block as its own header names it. Blocks are chained by `parentHash`, never by number. */
export interface BlockRef {
  readonly number: number
  readonly hash: string
  readonly parentHash: string
  /** The header's own time. Chains count seconds; here it is milliseconds like every instant. */
  readonly minedAt: Instant
}

/**
 * Identifies one movement within its transaction, as the kind of chain counts them: it stays the
 * same wherever and whenever the transaction is included. Three values exist for every kind: `hint`
 * is what a pending transaction asks for, `balance` is what a block added to an address by unknown
 * means, and `sum:<token>:<to>` stands for many small movements.
 */
export type TransferPart = number | string

/**
 * A movement of money to a watched address, as a source reported it. Names are as the kind stores
 * them.
 */
export interface SeenTransfer {
  readonly txHash: string
  readonly part: TransferPart
  /** The token, or null for the chain's native coin. */
  readonly token: string | null
  readonly from: string
  readonly to: string
  /** In the token's smallest unit. */
  readonly amount: bigint
  /** How many small movements this is the sum of. Left out: it is a single one. */
  readonly count?: number
}

/**
 * What a transaction competes for. Of all transactions of one chain with the same key at most one
 * is ever in a block, and a pool keeps the one with the higher bid.
 */
export interface Contest {
  /** Made by the kind of chain; compared as an opaque text. */
  readonly key: string
  readonly bid: bigint
}

interface ChainObservation {
  readonly source: Source
  readonly at: Instant
  readonly chain: string
  /**
   * The follower's step that observed it, counted up per chain without end. Of two reports on one
   * transaction and block the higher view decides whether the block is canonical, so the order of
   * arrival decides nothing.
   */
  readonly view: number
}

/** A decoded pending or preconfirmed transaction that would pay us. A signal, never a promise. */
export interface MempoolSeen extends ChainObservation {
  readonly kind: 'mempool'
  readonly transfer: SeenTransfer
  /** Left out where the node did not report it. */
  readonly contest?: Contest
  /** The sequencer promised a block for it: stronger than a pool, weaker than a block. */
  readonly preconfirmed?: boolean
}

/** A pending transaction that contends with one that would pay us, and does not pay us. */
export interface RivalSeen extends ChainObservation {
  readonly kind: 'rival'
  readonly txHash: string
  readonly contest: Contest
}

/**
 * A payer's claim: Settlewire searches for this transaction, but does not count it until a node
 * shows it.
 */
export interface Claimed extends ChainObservation {
  readonly kind: 'claimed'
  readonly txHash: string
}

/** The pending time-out passed, there is no receipt, and no provider knows the transaction. */
export interface Dropped extends ChainObservation {
  readonly kind: 'dropped'
  readonly txHash: string
}

/** A canonical block holds the transaction, its receipt says success, and these logs pay us. */
export interface Included extends ChainObservation {
  readonly kind: 'included'
  readonly txHash: string
  readonly block: BlockRef
  /** Every transfer of this transaction to this payment; one inclusion is one fact. */
  readonly transfers: readonly SeenTransfer[]
  /** Further sources that had shown the same receipt when this was observed. */
  readonly alsoSeenBy?: readonly Source[]
  /** What its calldata asked for, if it was read: a token that keeps a fee moves less. */
  readonly hint?: SeenTransfer
  readonly contest?: Contest
}

/**
 * A canonical block shows that the transaction moves nothing to us. Either the block holds it and
 * it failed or paid others; or this block or an earlier one ended its contest (`replaced`), so that
 * it can never be mined.
 */
export interface MovedNothing extends ChainObservation {
  readonly kind: 'moved_nothing'
  readonly txHash: string
  readonly block: BlockRef
  readonly reason: 'reverted' | 'paid_elsewhere' | 'replaced'
}

/**
 * A source that has this very block denies that the transaction moved there what other sources
 * show. The denial holds until the same source shows the transaction at a later view.
 */
export interface Denied extends ChainObservation {
  readonly kind: 'denied'
  readonly txHash: string
  readonly blockHash: string
}

/** The block is no longer on the canonical chain, so what it held did not happen. */
export interface Reorged extends ChainObservation {
  readonly kind: 'reorged'
  readonly txHash: string
  readonly blockHash: string
  /** Whether the node still knows the transaction as pending. */
  readonly inMempool: boolean
}

/** How far the chain has grown. Tags are requested from the node, never counted. */
export interface HeadMoved extends ChainObservation {
  readonly kind: 'head'
  readonly head: number
  readonly safe: number | null
  readonly finalized: number | null
  /** Number of providers that are up, on this chain and at most briefly behind. Left out: one. */
  readonly witnesses?: number
  /** Whether providers name different blocks at one height, deeper than a brief fork explains. */
  readonly disagree?: boolean
}

/** The time, and how far every accepted chain had been read by then. */
export interface ClockRead {
  readonly kind: 'clock'
  readonly source: 'clock'
  readonly at: Instant
  /**
   * Per chain: the time of the last block whose effects are stored. A missing chain was never read.
   */
  readonly scannedThrough: Readonly<Record<string, Instant>>
}

/** The merchant withdraws the request. */
export interface Withdrawn {
  readonly kind: 'withdrawn'
  readonly source: Source
  readonly at: Instant
  readonly reason: string
}

/** Decisions of a person about money that no rule can settle. */
export const resolutionActions = ['accept', 'wait', 'refund_noted', 'dismiss'] as const
export type ResolutionAction = (typeof resolutionActions)[number]

/** Identifies a transaction. */
export interface TransactionName {
  readonly chain: string
  readonly txHash: string
}

/** A person decided. */
export interface Resolved {
  readonly kind: 'resolved'
  readonly source: Source
  readonly at: Instant
  /** The id of the key or login that made the decision. */
  readonly actor: string
  readonly action: ResolutionAction
  readonly reason: string
  /**
   * What was in blocks at the time of the decision, in the payment's units: `accept` covers that
   * much.
   */
  readonly received: bigint
  /** The payment's status at the time of the decision. `decide` fills in `received`, `on`, `of`. */
  readonly on?: { readonly status: Status; readonly reason: string | null }
  /** The transactions that the decision covers: it sets aside or accepts no other money. */
  readonly of?: readonly TransactionName[]
}

/** An internal fault prevented the judgement of observations: they are held and retried. */
export interface Quarantined {
  readonly kind: 'quarantined'
  readonly source: Source
  readonly at: Instant
  /** The observations that could not be judged, as JSON. None of them is merged. */
  readonly held: string
  /** The message of the fault. */
  readonly why: string
}

/** Marks the retry of the observations held until then, which are merged together with this. */
export interface TakenUp {
  readonly kind: 'taken_up'
  readonly source: Source
  readonly at: Instant
}

/** An append-only fact from one source. Settlewire derives everything from these. */
export type Observation =
  | MempoolSeen
  | RivalSeen
  | Claimed
  | Dropped
  | Included
  | MovedNothing
  | Denied
  | Reorged
  | HeadMoved
  | ClockRead
  | Withdrawn
  | Resolved
  | Quarantined
  | TakenUp

/** The discriminator of observations. */
export type ObservationKind = Observation['kind']
