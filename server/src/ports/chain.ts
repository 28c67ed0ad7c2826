/**
 * What the engine needs from the world, with the guarantees it builds on: ordering, delivery,
 * failure, units. Adapters live beside `contract.ts` suites that hold them to these words.
 */
import type { Instant } from '@settlewire/core/instant'
import type { BlockRef, Contest, SeenTransfer, Source } from '@settlewire/core/payment/observation'
import type { ChainHead } from '@settlewire/core/payment/policy'
import type { Unfinished } from './history.ts'

/** What a follower must look for. Kept current by the engine; asked for every transaction seen. */
export interface WatchSet {
  /** In the form that the chain's kind stores. True for deposit addresses that are still open. */
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
  /**
   * What is on record of canonical blocks and not settled yet, by transaction: what further providers
   * say of it still counts.
   */
  inclusions(): Iterable<Corroborated>
  /** Whether an earlier sighting of this transaction is not settled: its fate must be reported. */
  tracks(txHash: string): boolean
  /** Whether a tracked transaction that is in no block contends under this key: then a rival is news. */
  contends(key: string): boolean
  /** Tracked transactions that are in no block and whose contest is known: another may have won it. */
  openContests(): Iterable<OpenContest>
  /** Transactions on record that would pay and are in no block, as far as is known: one may have been passed. */
  expected(): Iterable<string>
  /** Whether it is one of these. */
  expects(txHash: string): boolean
  /** Addresses of open payments that accept the native coin here, oldest first. */
  nativeAddresses(): Iterable<string>
  /**
   * All of the native coin that is on record as come to such an address in canonical blocks up to
   * this number, whether it counted or not. Null while it is not known whether that is all of it.
   */
  nativeOnRecord(address: string, throughBlock: number): bigint | null
}

/** A transaction that waits for its turn. */
export interface OpenContest {
  readonly txHash: string
  /** Of its contest. */
  readonly key: string
}

/** A pending transaction that matters to us. */
export interface Sighting {
  readonly txHash: string
  /** What it would pay; null for one that only contends with another (a rival). */
  readonly transfer: SeenTransfer | null
  /** Null where the node did not say. Never null for a rival. */
  readonly contest: Contest | null
  readonly preconfirmed: boolean
}

/** One block that joined the chain, with what in it concerns us. */
export interface AppliedBlock {
  readonly block: BlockRef
  /** Transfers to watched addresses, their receipts successful. */
  readonly transfers: readonly SeenTransfer[]
  /**
   * Tracked transactions that this block decided and that moved nothing to us; `replaced` ones are
   * not in it: by this block another transaction had won their contest.
   */
  readonly movedNothing: readonly {
    readonly txHash: string
    readonly reason: 'reverted' | 'paid_elsewhere' | 'replaced'
  }[]
  /** Per transaction with transfers: every provider that showed the same receipt. Left out: the step's source. */
  readonly sources?: ReadonlyMap<string, readonly Source[]>
  /** Per transaction with transfers: every provider that has the block and denies them. Left out: none. */
  readonly deniedBy?: ReadonlyMap<string, readonly Source[]>
  /** Per transaction with transfers: what it asked for and the contest it won, where that was read. */
  readonly calls?: ReadonlyMap<
    string,
    { readonly hint: SeenTransfer | null; readonly contest: Contest }
  >
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
  /**
   * As the position has it that the step goes on from. Its blocks that the step does not apply, and that
   * cannot stand beside what it applies, are among `reverted`.
   */
  readonly unfinished?: Unfinished
  /** `view` is one more than the view of the step before, finished or not. */
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
      /** Whether the receipt moves a token to us: then the follower will tell of it, however late. */
      readonly pays?: boolean
      /** The watched addresses that it moves a token to. Left out: not known. */
      readonly paid?: readonly string[]
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
   * Resolves when the step is stored, the cursor with its last part. Rejects when it was not, or only
   * in part; the follower then reads the position again and goes on from there.
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

/** What one provider shows that a block holds for the addresses asked for. */
export interface Shown {
  readonly source: Source
  readonly applied: AppliedBlock
}

/** A stretch of blocks as the providers show it now. */
export interface Reread {
  /** All of the stretch, oldest first. */
  readonly blocks: readonly BlockRef[]
  /** Of each block with money for us, what each provider shows. */
  readonly shown: readonly Shown[]
  /** Whether contracts may have paid the native coin in it without anybody being able to tell. */
  readonly isUnread: boolean
  /** The names of the configured providers that all of it was read from. */
  readonly readFrom: readonly string[]
  /** Of the others: they are down, could not show all of it, or show other blocks. */
  readonly notReadFrom: readonly string[]
}

/** What a follower reads again. Nothing of it holds up the reading of new blocks. */
export interface Rereader {
  /** The number of the last block that was made at or before an instant; 0 when none was. */
  blockAt(at: Instant): Promise<number>
  /** Rejects with `chain_unavailable` when no provider shows all of the blocks. */
  read(from: number, to: number, watch: WatchSet): Promise<Reread>
  /** Whether transfers of this token are looked for at all. */
  reads(token: string | null): boolean
  /**
   * Tells what is shown with the next step of the chain, as late. Resolves when that is stored, and
   * rejects with `chain_unavailable` when a block of it has left the chain, or the follower closes.
   */
  tell(shown: readonly Shown[]): Promise<void>
  /** The history holds these, and a provider does not show them: every provider is asked. */
  doubt(inclusions: readonly Corroborated[]): void
}

/** Follows one chain. Never rejects once started: what goes wrong shows in `health`. */
export interface ChainFollower {
  /** Left out where blocks of this kind of chain cannot be read again. */
  readonly again?: Rereader
  start(): void
  health(): ChainHealth
  /** Asks every provider. Never rejects. */
  lookUp(txHash: string): Promise<LookUp>
  close(): Promise<void>
}
