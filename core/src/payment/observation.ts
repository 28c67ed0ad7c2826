import type { Instant } from '../instant.ts'
import type { Status } from './status-model.ts'

/** Where a fact came from: `rpc:<name>`, `provider:<name>`, `payer`, `operator`, `merchant`, `clock`. */
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
 * Which movement of its transaction it is, as the kind of chain counts them: the same wherever and
 * whenever the transaction is included. Three are of every kind: `hint` is what a transaction asked for
 * and has not done yet, `balance` what a block added to an address without saying how, and
 * `sum:<token>:<to>` stands for many small ones.
 */
export type Part = number | string

/** One movement of money to a watched address, as a source reported it. Names are as the kind stores them. */
export interface SeenTransfer {
  readonly txHash: string
  readonly part: Part
  /** The token, or null for the chain's native coin. */
  readonly token: string | null
  readonly from: string
  readonly to: string
  /** In the token's smallest unit. */
  readonly amount: bigint
  /** How many small ones this is the sum of. Left out: it is one. */
  readonly count?: number
}

/**
 * What a transaction contends for. Of all transactions of one chain with the same key at most one is
 * ever in a block, and a pool keeps the one with the higher bid.
 */
export interface Contest {
  /** Made by the kind of chain, and compared as it stands. */
  readonly key: string
  readonly bid: bigint
}

interface Seen {
  readonly source: Source
  readonly at: Instant
  readonly chain: string
  /**
   * The follower's step that saw it, counting up for ever per chain. Of two verdicts on one
   * transaction and block the higher view wins, so the order of arrival decides nothing.
   */
  readonly view: number
}

/** A decoded pending transaction that would pay us. A signal, never a promise. */
export interface MempoolSeen extends Seen {
  readonly kind: 'mempool'
  readonly transfer: SeenTransfer
  /** Left out where the node did not say. */
  readonly contest?: Contest
  /** The sequencer has promised a block for it, which is more than a pool's word and less than the block. */
  readonly preconfirmed?: boolean
}

/** A pending transaction that contends with one that would pay us, and does not pay us. */
export interface RivalSeen extends Seen {
  readonly kind: 'rival'
  readonly txHash: string
  readonly contest: Contest
}

/** The payer names a transaction. Worth looking for, never worth believing. */
export interface Claimed extends Seen {
  readonly kind: 'claimed'
  readonly txHash: string
}

/** The pending time-out passed, there is no receipt, and no provider knows the transaction. */
export interface Dropped extends Seen {
  readonly kind: 'dropped'
  readonly txHash: string
}

/** A canonical block holds the transaction, its receipt says success, and these logs pay us. */
export interface Included extends Seen {
  readonly kind: 'included'
  readonly txHash: string
  readonly block: BlockRef
  /** Every transfer of this transaction to this payment; one inclusion is one fact. */
  readonly transfers: readonly SeenTransfer[]
  /** Further sources that showed the same receipt by the time it was told. */
  readonly alsoSeenBy?: readonly Source[]
  /** What its calldata asked for, where that was read: a token that keeps a fee moves less. */
  readonly hint?: SeenTransfer
  readonly contest?: Contest
}

/**
 * A canonical block decided that the transaction moves nothing to us: it holds it and it failed or paid
 * others; or it, or a block before it, ended its contest (`replaced`), so that it can never be mined.
 */
export interface MovedNothing extends Seen {
  readonly kind: 'moved_nothing'
  readonly txHash: string
  readonly block: BlockRef
  readonly reason: 'reverted' | 'paid_elsewhere' | 'replaced'
}

/**
 * A source that has this very block says that the transaction did not move there what others show.
 * It stands until the same source shows it at a later view.
 */
export interface Denied extends Seen {
  readonly kind: 'denied'
  readonly txHash: string
  readonly blockHash: string
}

/** The block is no longer on the canonical chain, so what it held did not happen. */
export interface Reorged extends Seen {
  readonly kind: 'reorged'
  readonly txHash: string
  readonly blockHash: string
  /** Whether the node still knows the transaction as pending. */
  readonly inMempool: boolean
}

/** How far the chain has grown. Tags are asked of the node, never counted. */
export interface HeadMoved extends Seen {
  readonly kind: 'head'
  readonly head: number
  readonly safe: number | null
  readonly finalized: number | null
  /** Providers that are up, on this chain and not behind. Left out: one. */
  readonly witnesses?: number
  /** Whether providers name different blocks at one height, deeper than may pass by itself. */
  readonly disagree?: boolean
}

/** Time passed, and how far every accepted chain was read by then. */
export interface ClockRead {
  readonly kind: 'clock'
  readonly source: 'clock'
  readonly at: Instant
  /** Per chain: the time of the last block whose effects are stored. A chain left out was never read. */
  readonly scannedThrough: Readonly<Record<string, Instant>>
}

/** The merchant withdraws the request. */
export interface Withdrawn {
  readonly kind: 'withdrawn'
  readonly source: Source
  readonly at: Instant
  readonly reason: string
}

/** What a person may decide about money that no rule can settle. */
export const resolutionActions = ['accept', 'wait', 'refund_noted', 'dismiss'] as const
export type ResolutionAction = (typeof resolutionActions)[number]

/** A transaction by its name. */
export interface TransactionName {
  readonly chain: string
  readonly txHash: string
}

/** A person decided. */
export interface Resolved {
  readonly kind: 'resolved'
  readonly source: Source
  readonly at: Instant
  /** Who: the id of the key or login that asked for it. */
  readonly actor: string
  readonly action: ResolutionAction
  readonly reason: string
  /** What stood in blocks when it was decided, in the payment's units: `accept` holds for that much. */
  readonly received: bigint
  /** Where the payment stood when it was decided. `decide` writes it down; so it does `of`. */
  readonly on?: { readonly status: Status; readonly reason: string | null }
  /** The transactions that it speaks of: no other money is set aside or accepted by it. */
  readonly of?: readonly TransactionName[]
}

/** A fault of ours kept what was observed from being judged: it is held, and tried again. */
export interface SetAside {
  readonly kind: 'set_aside'
  readonly source: Source
  readonly at: Instant
  /** What could not be judged, as the JSON of observations: nothing of it is merged. */
  readonly held: string
  /** What the fault said. */
  readonly why: string
}

/** What was held until then is judged again, and told beside this. */
export interface TakenUp {
  readonly kind: 'taken_up'
  readonly source: Source
  readonly at: Instant
}

/** An append-only fact from one source. Everything Settlewire believes is folded from these. */
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
  | SetAside
  | TakenUp

/** What tells one kind of fact from another. */
export type ObservationKind = Observation['kind']
