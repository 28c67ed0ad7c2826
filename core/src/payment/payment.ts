import type { Instant } from '../instant.ts'
import type { BlockRef, Contest, Resolved, SeenTransfer, Source } from './observation.ts'
import type { ChainHead } from './policy.ts'
import type { EventType, Finality, Flag, Status } from './status-model.ts'

/** How a chain names itself in public: a number for EVM chains, a text where a kind of chain has one. */
export type ChainId = number | string

/** One way to pay a request: an asset on a chain, to an address of this payment alone. */
export interface Acceptance {
  /** The symbol from our registry: `USDC`. A symbol read from a chain is never believed. */
  readonly asset: string
  readonly chain: string
  readonly chainId: ChainId
  /** The token, as its chain's kind stores addresses, or null for the native coin. */
  readonly token: string | null
  readonly decimals: number
  /** Where to pay, as the kind stores it. */
  readonly address: string
  /** Transfers of less than this, in the token's smallest unit, do not count. Left out: none is too small. */
  readonly dust?: bigint
}

/** What was asked. Set when the payment is created, never changed. */
export interface Terms {
  /** In units of `10^-decimals` of the currency. */
  readonly amount: bigint
  /** May be missing from what arrives without harm; same units. */
  readonly tolerance: bigint
  readonly currency: string
  /** The scale of every amount of this payment: the finest of the accepted assets. */
  readonly decimals: number
  readonly accept: readonly Acceptance[]
  readonly expiresAt: Instant
  /** Late money is still recognised until then. */
  readonly monitorUntil: Instant
  /** So long may a transaction be pending before it is asked whether it is gone. Left out: 4 hours. */
  readonly pendingTtlMs?: number
  readonly reference: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly redirectUrl: string | null
  readonly confirmationPolicy: 'default'
}

/** What the follower said of one transaction in one block; the highest view is the verdict. */
export interface Inclusion {
  readonly view: number
  readonly canonical: boolean
  /**
   * `paid` holds transfers; the others moved nothing, `replaced` because by this block another
   * transaction had won its contest. Unknown while only the reorg is known.
   */
  readonly outcome: 'paid' | 'reverted' | 'paid_elsewhere' | 'replaced' | 'unknown'
  /** Known once the inclusion itself was seen; its hash is the key of the record. */
  readonly block: BlockRef | null
  readonly transfers: readonly SeenTransfer[]
  /** Who showed this outcome, with the highest view at which it did. */
  readonly shownBy: Views
}

/** Per source a view: the last step by which it said something. */
export type Views = Readonly<Record<Source, number>>

/** What is known of one transaction that pays, would pay, or keeps another from paying this payment. */
export interface Transaction {
  readonly chain: string
  readonly txHash: string
  /** The decoded calldata, when it was seen before it was mined. */
  readonly hint: SeenTransfer | null
  /** Whether the node knows it as pending, at the highest view that said so. */
  readonly mempool: { readonly view: number; readonly known: boolean } | null
  /** The first sighting by the earliest clock, whatever arrived first. */
  readonly seenAt: Instant
  /** By block hash. */
  readonly inclusions: Readonly<Record<string, Inclusion>>
  /** By block hash: who has said that this block does not hold what others show, and when last. */
  readonly denials?: Readonly<Record<string, Views>>
  /** Null or left out while nobody said. */
  readonly contest?: Contest | null
  /** Whether a sequencer promised a block for it. */
  readonly preconfirmed?: boolean
  /** Whether the payer named it. */
  readonly claimed?: boolean
  /** The highest view at which it was past its time-out and known to nobody. */
  readonly droppedView?: number | null
}

/** What a person decided, and when. */
export type Resolution = Omit<Resolved, 'kind' | 'source'>

/** What could not be judged because of a fault of ours, and since when. */
export interface Held {
  readonly at: Instant
  readonly held: string
}

/** Everything observed of a payment. Merging is commutative, associative and idempotent. */
export interface Facts {
  /** Sorted by chain and hash. */
  readonly transactions: readonly Transaction[]
  readonly heads: Readonly<Record<string, ChainHead>>
  /** The latest clock, and the time every accepted chain was read up to by then; null before the first. */
  readonly clock: { readonly at: Instant; readonly scannedThrough: Instant } | null
  readonly withdrawn: { readonly at: Instant; readonly reason: string } | null
  /** In the order of time. Left out in payments that were stored before there were any. */
  readonly resolutions?: readonly Resolution[]
  /** What is held, in the order of time. Left out while all could be judged. */
  readonly held?: readonly Held[]
  /** When what was held was taken up last. */
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
  /** Whether success was ever announced: from then on there is no silent way back. */
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

/** Why money that moved, or was about to, does not count. */
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
  /** The token contract, or null for the native coin; what it is worth here, `accept` says. */
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
  /** Whether its block has reached the level that it counts with, whoever shows it. */
  readonly deep: boolean
  readonly settled: boolean
  /** Whether it is in a block and does not settle because a source denies it. */
  readonly contested: boolean
  readonly seenAt: Instant
  /** Who shows it in its block, and who denies it, each by its last word. */
  readonly sources: readonly Source[]
  readonly deniedBy: readonly Source[]
  /** How many small ones it is the sum of. Left out: it is one. */
  readonly count?: number
}
