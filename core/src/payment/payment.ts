import type { Instant } from '../instant.ts'
import type { BlockRef, Contest, Resolved, SeenTransfer, Source } from './observation.ts'
import type { ChainHead } from './policy.ts'
import type { EventType, Finality, Flag, Status } from './status-model.ts'

/**
 * A chain's public id: a number for EVM chains, a string for kinds of chain whose ids are strings.
 */
export type ChainId = number | string

/** One way to pay a request: an asset on a chain, to an address of this payment alone. */
export interface Acceptance {
  /** The symbol from our registry: `USDC`. A symbol read from a chain is never trusted. */
  readonly asset: string
  readonly chain: string
  readonly chainId: ChainId
  /** The token's address, in the normal form of its kind of chain; null for the native coin. */
  readonly token: string | null
  readonly decimals: number
  /** The address to pay to, in the same form. */
  readonly address: string
  /**
   * Transfers below this, in the token's smallest unit, do not count. Left out: there is no
   * minimum.
   */
  readonly dust?: bigint
}

/** What the merchant asked for. Set when the payment is created, never changed. */
export interface Terms {
  /** In units of `10^-decimals` of the currency. */
  readonly amount: bigint
  /** The payment succeeds even if this much is missing; same units. */
  readonly tolerance: bigint
  readonly currency: string
  /** The scale of every amount of this payment: the finest of the accepted assets. */
  readonly decimals: number
  readonly accept: readonly Acceptance[]
  readonly expiresAt: Instant
  /** Late money is still recognised until then. */
  readonly monitorUntil: Instant
  /**
   * How long a transaction may be pending before providers are asked about it. Left out: 4 hours.
   */
  readonly pendingTtlMs?: number
  readonly reference: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly redirectUrl: string | null
  readonly confirmationPolicy: 'default'
}

/**
 * What the follower reported about one transaction in one block. If reports differ, the highest
 * view decides whether the block is canonical, and the outcome that shows more counts.
 */
export interface Inclusion {
  readonly view: number
  readonly canonical: boolean
  /**
   * `paid`: it has transfers to this payment. `reverted`, `paid_elsewhere` and `replaced`: it moved
   * nothing to this payment. `replaced`: by this block another transaction with the same contest
   * key (on EVM chains: sender and nonce) was mined. `unknown`: so far only a reorg was reported.
   */
  readonly outcome: 'paid' | 'reverted' | 'paid_elsewhere' | 'replaced' | 'unknown'
  /** Known once the inclusion itself was seen; the block hash is the key of the record. */
  readonly block: BlockRef | null
  readonly transfers: readonly SeenTransfer[]
  /** The sources that showed this outcome, each with the highest view at which it did. */
  readonly shownBy: Views
}

/** Per source the view of the last step in which it reported something. */
export type Views = Readonly<Record<Source, number>>

/**
 * All facts about a transaction that pays, would pay, or keeps another from paying this payment.
 */
export interface Transaction {
  readonly chain: string
  readonly txHash: string
  /** The movement that its calldata asks for; null while no source reported it. */
  readonly hint: SeenTransfer | null
  /** Whether a pool holds it, at the highest view that reported it; null while none did. */
  readonly mempool: { readonly view: number; readonly known: boolean } | null
  /**
   * The earliest sighting by its time, whatever the order of arrival. Before the first sighting:
   * the time of the claim.
   */
  readonly seenAt: Instant
  /** By block hash. */
  readonly inclusions: Readonly<Record<string, Inclusion>>
  /**
   * By block hash: the sources that deny what others show in this block, with their latest view.
   */
  readonly denials?: Readonly<Record<string, Views>>
  /** Null or left out while no source reported it. */
  readonly contest?: Contest | null
  /** Whether a sequencer promised a block for it. */
  readonly preconfirmed?: boolean
  /** Whether the payer named it. */
  readonly claimed?: boolean
  /** The highest view at which it was past its time-out and unknown to every provider. */
  readonly droppedView?: number | null
}

/** A decision of a person, with its time. */
export type Resolution = Omit<Resolved, 'kind' | 'source'>

/** Observations that an internal fault prevented from being judged, and since when. */
export interface HeldObservations {
  readonly at: Instant
  /** The observations as JSON. */
  readonly held: string
}

/** All observations of a payment, merged. Merging is commutative, associative and idempotent. */
export interface Facts {
  /** Sorted by chain and hash. */
  readonly transactions: readonly Transaction[]
  readonly heads: Readonly<Record<string, ChainHead>>
  /**
   * The latest time read from the clock, and the time up to which every accepted chain had been
   * read; null at first.
   */
  readonly clock: { readonly at: Instant; readonly scannedThrough: Instant } | null
  readonly withdrawn: { readonly at: Instant; readonly reason: string } | null
  /** Ordered by time. Left out while no person has decided. */
  readonly resolutions?: readonly Resolution[]
  /** Held observations, ordered by time. Left out while all could be judged. */
  readonly held?: readonly HeldObservations[]
  /** The time of the last retry of held observations. Left out before the first. */
  readonly takenUpAt?: Instant
}

/** A payment intent: a pure function of its events. */
export interface Payment {
  readonly id: string
  readonly merchantId: string
  readonly livemode: boolean
  /** The UUID by which clients of identiPay's API know the payment. A secret: never logged. */
  readonly transactionId: string
  readonly createdAt: Instant
  readonly terms: Terms
  readonly facts: Facts

  readonly sequence: number
  readonly status: Status
  /** In the order of `flags` in `status-model.ts`. */
  readonly flags: readonly Flag[]
  readonly finality: Finality
  /** Counted money in canonical blocks, in the payment's units. */
  readonly received: bigint
  /** Money that is in the mempool or preconfirmed, and in no block. */
  readonly pending: bigint
  readonly detectedAt: Instant | null
  readonly settledAt: Instant | null
  /** Why it has its status; null where the status alone explains it. */
  readonly reason: string | null
  /**
   * Whether success was ever emitted. If the money disappears after that, the status becomes
   * `investigation_required`, and never `confirming` again.
   */
  readonly toldSuccess: boolean
  /** The newest event. */
  readonly head: { readonly eventId: string; readonly type: EventType; readonly at: Instant }
}

/** How far one movement of money has come. */
export type Stage =
  | 'claimed'
  | 'mempool'
  | 'preconfirmed'
  | 'included'
  | 'safe'
  | 'final'
  | 'dropped'
  | 'replaced'
  | 'reverted'
  | 'reorged'
  | 'denied'
  | 'ignored'

/**
 * Why money that moved, or is about to move, does not count. `set_aside`: a person refunded or
 * dismissed it.
 */
export type IgnoreReason =
  | 'wrong_token'
  | 'wrong_chain'
  | 'dust'
  | 'zero'
  | 'paid_elsewhere'
  | 'set_aside'

/** A movement of money, folded from the facts: what `transfers[]` shows. */
export interface Transfer {
  readonly chain: string
  readonly txHash: string
  readonly part: SeenTransfer['part']
  /** The way to pay that it matches; null if it matches none. */
  readonly accept: Acceptance | null
  readonly from: string
  readonly to: string
  /** The token contract, or null for the native coin; `accept` says whether it counts. */
  readonly token: string | null
  /** In the token's smallest unit. */
  readonly units: bigint
  /** In the payment's units; 0 when the asset is not accepted. */
  readonly amount: bigint
  readonly stage: Stage
  /** Null unless the stage is `ignored`. */
  readonly ignored: IgnoreReason | null
  readonly block: BlockRef | null
  /** 0 unless it counts and is in a block. */
  readonly confirmations: number
  /** Null if the chain's level is a tag and not a count, or if the chain has no rule. */
  readonly requiredConfirmations: number | null
  /**
   * Whether it counts, and its block has reached the required level, no matter which sources show
   * it.
   */
  readonly deep: boolean
  readonly settled: boolean
  /** Whether it is in a block and does not settle because a source denies it. */
  readonly disputed: boolean
  readonly seenAt: Instant
  /**
   * The sources that show it in its block, and those that deny it, each by its latest report. Both
   * are empty outside of a block.
   */
  readonly sources: readonly Source[]
  readonly deniedBy: readonly Source[]
  /** How many small transfers it is the sum of. Left out: it is a single one. */
  readonly count?: number
}
