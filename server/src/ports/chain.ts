/**
 * What the engine needs from the world, with the guarantees it builds on: ordering, delivery,
 * failure, units. Each adapter must pass the `contract.ts` suite beside it, which tests them.
 */
import type { Instant } from '@settlewire/core/instant'
import type { BlockRef, Contest, SeenTransfer, Source } from '@settlewire/core/payment/observation'
import type { ChainHead } from '@settlewire/core/payment/policy'
import type { Unfinished } from './history.ts'

/**
 * What a follower must look for. The engine keeps it current; each transaction is checked by it.
 */
export interface WatchSet {
  /** Whether this is a deposit address still open. In the form that the chain's kind stores. */
  has(address: string): boolean
  /**
   * False when no watched address ends in the same last few hex digits as this text, in either
   * case: a cheap no for nearly every lookup. True proves nothing: `has` must decide.
   */
  mayHold(text: string): boolean
  /**
   * Increases whenever an address or a tracked transaction is added: while it stays the same, a
   * block that was searched need not be searched again.
   */
  readonly joined: number
  /** Whether any open payment accepts the native coin here: only then are whole blocks fetched. */
  readonly wantsNative: boolean
  /**
   * Recorded transfers in canonical blocks that are not settled yet, by transaction: what further
   * providers show of them still counts.
   */
  inclusions(): Iterable<Corroborated>
  /** Whether this transaction was seen before and is not settled: its outcome must be reported. */
  tracks(txHash: string): boolean
  /**
   * Whether a transaction with this contest key is a rival of a tracked transaction in no block. A
   * rival must be reported.
   */
  hasRival(key: string): boolean
  /** Tracked transactions in no block with a known contest: a rival may have been mined instead. */
  openContests(): Iterable<OpenContest>
  /** Recorded transactions that would pay and are in no known block: one may have been missed. */
  expected(): Iterable<string>
  /** Whether `expected` yields this transaction. */
  expects(txHash: string): boolean
  /** Addresses of open payments that accept the native coin here, oldest first. */
  nativeAddresses(): Iterable<string>
  /**
   * The sum of all native coin recorded as paid to this address in canonical blocks up to this
   * number, counted or not, in the coin's smallest unit. Null while the record may be incomplete.
   */
  nativeOnRecord(address: string, throughBlock: number): bigint | null
}

/** A tracked transaction that is in no block and contends with others. */
export interface OpenContest {
  readonly txHash: string
  /** The key of its contest: on EVM chains, sender and nonce. */
  readonly key: string
}

/** A pending transaction that pays a watched address or contends with a tracked transaction. */
export interface Sighting {
  readonly txHash: string
  /** What it would pay; null for a rival, which only contends with another transaction. */
  readonly transfer: SeenTransfer | null
  /** Null when it is not known. Never null for a rival. */
  readonly contest: Contest | null
  readonly preconfirmed: boolean
}

/** One block that joined the chain, with its effects on our payments. */
export interface AppliedBlock {
  readonly block: BlockRef
  /**
   * Transfers to watched addresses: successful by their receipts, or found by a trace or balance.
   */
  readonly transfers: readonly SeenTransfer[]
  /**
   * Tracked transactions that paid us nothing and whose outcome this block decided. A `replaced`
   * one is not in the block: by this block another transaction had won its contest.
   */
  readonly movedNothing: readonly {
    readonly txHash: string
    readonly reason: 'reverted' | 'paid_elsewhere' | 'replaced'
  }[]
  /** By transaction: every provider that showed the same receipt. Default: the step's source. */
  readonly sources?: ReadonlyMap<string, readonly Source[]>
  /** By transaction: every provider that has the block and denies its transfers. Default: none. */
  readonly deniedBy?: ReadonlyMap<string, readonly Source[]>
  /** By transaction: the transfer it called for and the contest it won, where that was read. */
  readonly calls?: ReadonlyMap<
    string,
    { readonly hint: SeenTransfer | null; readonly contest: Contest }
  >
}

/** One consistent advance of a chain: delivered only after everything in it was fetched. */
export interface ChainStep {
  readonly source: Source
  readonly at: Instant
  /** Blocks that left the canonical chain, newest first. Undone before any block is applied. */
  readonly reverted: readonly BlockRef[]
  /** Tracked transactions of the reverted blocks that the node holds as pending again. */
  readonly pendingAgain: ReadonlySet<string>
  /** Blocks that joined, oldest first, each the child of the one before. */
  readonly applied: readonly AppliedBlock[]
  /** Canonical blocks reported before: what another provider has shown of them since. */
  readonly late?: readonly AppliedBlock[]
  /**
   * Copied from the position that this step continues. `reverted` includes those of its blocks that
   * the step does not apply and that cannot be on one chain with the blocks it applies.
   */
  readonly unfinished?: Unfinished
  /** `view` is one more than the view of the previous step, whether that was finished or not. */
  readonly head: ChainHead
}

/** Whether a chain can be seen: fully, with doubts, or not at all at the moment. */
export type Visibility = 'ok' | 'degraded' | 'blind'

/** How well one provider of a chain did lately. Counts start with this process. */
export interface ProviderScore {
  readonly name: string
  readonly visibility: Visibility
  /** Why it is not `ok`, as a code; null when `ok`. */
  readonly reason: string | null
  readonly head: number | null
  /** Recent lag: blocks behind the best provider; milliseconds by which its heads arrive later. */
  readonly lagBlocks: number
  readonly lagMs: number
  /** How often it was asked for a block's logs. */
  readonly logsAsked: number
  /** How often its logs missed transfers that were found later, or were empty at first. */
  readonly logsEmpty: number
  readonly disagreements: number
  readonly reconnects: number
  /** Pending transactions that this provider showed first. */
  readonly firstSeen: number
}

/** How well one chain is seen, and up to which block. */
export interface ChainHealth {
  readonly chain: string
  readonly visibility: Visibility
  readonly head: number | null
  /** The timestamp in the header of the last stored block. */
  readonly headAt: Instant | null
  /** Why it is not `ok`, as a code; null when `ok`. */
  readonly reason: string | null
  /** Left out where providers are not scored. */
  readonly providers?: readonly ProviderScore[]
}

/** What the nodes of a chain know of a transaction that a payer or the engine asked about. */
export type LookUp =
  /** In a pool, or preconfirmed. `sighting` is null when it pays none of our addresses. */
  | { readonly kind: 'pending'; readonly source: Source; readonly sighting: Sighting | null }
  /** In a block, which the follower has reported in a step or will report. */
  | {
      readonly kind: 'mined'
      readonly source: Source
      readonly blockNumber: number
      /** The block's hash, where the node named it; and whether the receipt reports success. */
      readonly blockHash?: string
      readonly succeeded?: boolean
      /**
       * Whether it pays us: tokens by the receipt, and the native coin that the transaction itself
       * sends. If so, the follower reports it, however late.
       */
      readonly pays?: boolean
      /** The watched addresses that it pays in this way. Left out: not known. */
      readonly paid?: readonly string[]
    }
  /** Every configured provider has answered; at none is it pending or mined. */
  | { readonly kind: 'not_found' }
  /** Not every provider has answered, so this is no evidence either way. */
  | { readonly kind: 'unsure' }

/** An inclusion that one more provider showed or denied. */
export interface Corroborated {
  readonly txHash: string
  readonly block: BlockRef
  readonly transfers: readonly SeenTransfer[]
}

/** Where a follower delivers what it reads. */
export interface ChainSink {
  /**
   * The follower calls this once it knows that a step's blocks exist, before it searches them.
   * Resolves when the watch set holds every payment opened before, by whichever process. Rejects
   * when these payments cannot be read.
   */
  prepare(chain: string): Promise<void>
  /**
   * Resolves when the step is stored; the cursor moves with its last part. Rejects when nothing or
   * only a part was stored; the follower then reads the position again and continues from there.
   */
  step(chain: string, step: ChainStep): Promise<void>
  /** Pending transactions that concern our payments. May repeat. The socket never awaits it. */
  pending(chain: string, source: Source, sightings: readonly Sighting[]): void
  /** One more provider shows the same receipts for blocks reported before. May repeat. */
  corroborated(chain: string, source: Source, inclusions: readonly Corroborated[]): void
  /**
   * One more provider has the same blocks and shows that these inclusions are not in them. May
   * repeat. A denial holds until the same provider corroborates the inclusion.
   */
  denied(chain: string, source: Source, inclusions: readonly Corroborated[]): void
  /**
   * Called when `visibility` or `reason` changes, that of the chain or of one of its providers, and
   * after steps with new scores.
   */
  health(health: ChainHealth): void
}

/** What one provider shows of a block, for the addresses that were searched. */
export interface ShownBlock {
  readonly source: Source
  readonly applied: AppliedBlock
}

/** A range of blocks as the providers show it now. */
export interface Reread {
  /** All blocks of the range, oldest first. */
  readonly blocks: readonly BlockRef[]
  /** For each block with money for us: what each provider shows. */
  readonly shown: readonly ShownBlock[]
  /** Whether contracts may have paid the native coin in it without any provider showing it. */
  readonly isUnread: boolean
  /** The names of the configured providers that showed the whole range, with the same blocks. */
  readonly readFrom: readonly string[]
  /** The other configured providers: down, unable to show the whole range, or on other blocks. */
  readonly notReadFrom: readonly string[]
}

/** Reads blocks of one chain again. Never delays the reading of new blocks. */
export interface Rereader {
  /**
   * The number of the last block made at or before an instant; 0 when every block is later. Rejects
   * with `chain_unavailable` when no provider is connected, or it lacks a block.
   */
  blockAt(at: Instant): Promise<number>
  /**
   * Rejects with `chain_unavailable` when no provider shows the whole range, the providers are
   * evenly divided about its blocks, or one is still connecting.
   */
  read(from: number, to: number, watch: WatchSet): Promise<Reread>
  /** Whether the follower looks for transfers of this token at all. */
  reads(token: string | null): boolean
  /**
   * Delivers these blocks as `late` in the chain's next step. Resolves when that step is stored.
   * Rejects with `chain_unavailable` when one of the blocks has left the chain, or the follower
   * closes.
   */
  recordMissing(shown: readonly ShownBlock[]): Promise<void>
  /** Asks every provider about inclusions that the history holds and a provider does not show. */
  doubt(inclusions: readonly Corroborated[]): void
}

/** Follows one chain. Never rejects once started: failures show in `health`. */
export interface ChainFollower {
  /** Left out where blocks of this kind of chain cannot be read again. */
  readonly rereader?: Rereader
  start(): void
  health(): ChainHealth
  /** Asks every provider. Never rejects. */
  lookUp(txHash: string): Promise<LookUp>
  close(): Promise<void>
}
