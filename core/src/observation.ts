import type { Instant } from './instant.ts'

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

/** One movement of money to a watched address, as a source reported it. Hex is lower case. */
export interface SeenTransfer {
  readonly txHash: string
  /**
   * The place of the log within its transaction, counted from 0: it survives a re-inclusion, as the
   * block-wide `logIndex` does not. `top` is the transaction's own value; `hint` is calldata not yet run.
   */
  readonly ordinal: number | 'top' | 'hint'
  /** The token contract, or null for the chain's native coin. */
  readonly token: string | null
  readonly from: string
  readonly to: string
  /** In the token's smallest unit. */
  readonly amount: bigint
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
}

/** A canonical block holds the transaction, its receipt says success, and these logs pay us. */
export interface Included extends Seen {
  readonly kind: 'included'
  readonly txHash: string
  readonly block: BlockRef
  /** Every transfer of this transaction to this payment; one inclusion is one fact. */
  readonly transfers: readonly SeenTransfer[]
}

/** A canonical block holds the transaction, but it moved nothing to us. */
export interface MovedNothing extends Seen {
  readonly kind: 'moved_nothing'
  readonly txHash: string
  readonly block: BlockRef
  readonly reason: 'reverted' | 'paid_elsewhere'
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

/** An append-only fact from one source. Everything Settlewire believes is folded from these. */
export type Observation =
  | MempoolSeen
  | Included
  | MovedNothing
  | Reorged
  | HeadMoved
  | ClockRead
  | Withdrawn

/** What tells one kind of fact from another. */
export type ObservationKind = Observation['kind']
