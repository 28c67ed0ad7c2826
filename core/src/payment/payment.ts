import type { Instant } from '../instant.ts'
import type { BlockRef, Contest, Resolved, SeenTransfer, Source } from './observation.ts'
import type { ChainHead } from './policy.ts'
import type { EventType, Finality, Flag, Status } from './status-model.ts'

/** A chain's public id: a number for EVM chains, a text where a kind of chain has one. */
export type ChainId = number | string

/** One way to pay a request: an asset on a chain, to an address of this payment alone. */
export interface Acceptance {
  /** The symbol from our registry: `USDC`. A symbol read from a chain is never trusted. */
  readonly asset: string
  readonly chain: string
  readonly chainId: ChainId
  /** The token, as its chain's kind stores addresses, or null for the native coin. */
  readonly token: string | null
  readonly decimals: number
  /** The address to pay to, as the kind stores it. */
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

/** What the follower reported of one transaction in one block; the highest view is the verdict. */
export interface Inclusion {
  readonly view: number
  readonly canonical: boolean
  /**
   * `paid` holds transfers. The others moved nothing; `replaced` means that by this block another
   * transaction had won its contest. `unknown` while only the reorg was reported.
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
  /** The decoded calldata, if it was seen before the transaction was mined. */
  readonly hint: SeenTransfer | null
  /** Whether the node knows it as pending, at the highest view that reported it. */
  readonly mempool: { readonly view: number; readonly known: boolean } | null
  /** The earliest sighting by its time, whatever the order of arrival. */
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
  readonly held: string
}

/** All observations of a payment, merged. Merging is commutative, associative and idempotent. */
export interface Facts {
  /** Sorted by chain and hash. */
  readonly transactions: readonly Transaction[]
  readonly heads: Readonly<Record<string, ChainHead>>
  /**
   * The latest clock, and the time up to which every accepted chain had been read; null at first.
   */
  readonly clock: { readonly at: Instant; readonly scannedThrough: Instant } | null
  readonly withdrawn: { readonly at: Instant; readonly reason: string } | null
  /** Ordered by time. Left out in payments that were stored before resolutions existed. */
  readonly resolutions?: readonly Resolution[]
  /** Held observations, ordered by time. Left out while all could be judged. */
  readonly held?: readonly HeldObservations[]
  /** The time of the last retry of held observations. */
  readonly takenUpAt?: Instant
}

/** A payment intent: a pure function of its events. */
export interface Payment {
  readonly id: string
  readonly merchantId: string
  readonly livemode: boolean
  /** The UUID that clients of the identiPay profile use. A secret: never logged. */
  readonly transactionId: string
  readonly createdAt: Instant
  readonly terms: Terms
  readonly facts: Facts

  readonly sequence: number
  readonly status: Status
  /** In the catalogue's order. */
  readonly flags: readonly Flag[]
  readonly finality: Finality
  /** Included in canonical blocks, in the payment's units. */
  readonly received: bigint
  /** Seen in the mempool only. */
  readonly pending: bigint
  readonly detectedAt: Instant | null
  readonly settledAt: Instant | null
  /** Why, for statuses that need a reason. */
  readonly reason: string | null
  /** Whether success was ever emitted: from then on the payment never returns silently. */
  readonly toldSuccess: boolean
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

/** Why money that moved, or is about to move, does not count. */
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
  /** Only with the stage `ignored`. */
  readonly ignored: IgnoreReason | null
  readonly block: BlockRef | null
  /** 0 until included. */
  readonly confirmations: number
  /** Null when the chain's level is a tag and not a count. */
  readonly requiredConfirmations: number | null
  /** Whether its block has reached the required level, no matter which sources show it. */
  readonly deep: boolean
  readonly settled: boolean
  /** Whether it is in a block and does not settle because a source denies it. */
  readonly contested: boolean
  readonly seenAt: Instant
  /** The sources that show it in its block, and those that deny it, each by its latest report. */
  readonly sources: readonly Source[]
  readonly deniedBy: readonly Source[]
  /** How many small transfers it is the sum of. Left out: it is a single one. */
  readonly count?: number
}
