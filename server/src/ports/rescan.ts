/**
 * Reading blocks again that were told before: what an operator asks for, and what the engine needs
 * of the store for it. `Rereader` of `chain.ts` is what a follower does.
 */
import type { Instant } from '@settlewire/core/instant'
import type { Watched } from './history.ts'

// ── what is asked for ──────────────────────────────────────────────────────────────────────────

/** A stretch of a chain's blocks that is to be read again. */
export interface RescanRequest {
  readonly chain: string
  /** Null: the block that the payment was created at. */
  readonly from: number | null
  /** Null: the last block that was stored when the reading began. */
  readonly to: number | null
  /** Null: every payment that was watched then. */
  readonly paymentId: string | null
}

/** What was found. Only `missing` changes a payment; the operator decides about the others. */
export type FindingKind =
  /** A block holds it, and the history did not: the payment has it now. */
  | 'missing'
  /** A block holds it, and whether the history holds it in another form cannot be known. */
  | 'unclear'
  /** The history holds it, and its block does not. */
  | 'gone'

/** One transaction of one payment, in one block. */
export interface Finding {
  readonly kind: FindingKind
  readonly paymentId: string
  readonly txHash: string
  readonly block: number
}

/** Blocks that not every configured provider has shown. */
export interface PartlyRead {
  /** The providers that they were not read from. */
  readonly notReadFrom: readonly string[]
  /** How many they were read from. */
  readonly providers: number
  readonly blocks: number
}

/** How far a rescan is, and what it has found. */
export interface RescanReport {
  readonly from: number
  readonly to: number
  /** Every block below was read, and the payments have what was missing. */
  readonly next: number
  /** Payments that were looked for. */
  readonly payments: number
  readonly counts: Readonly<Record<FindingKind, number>>
  /** The first of them: there may be more than are listed. */
  readonly findings: readonly Finding[]
  /** Blocks in which a contract may have paid the native coin, and no provider has the balances of that time. */
  readonly unread: number
  /** By the providers that failed. Left out by servers of a version that did not count them. */
  readonly partly?: readonly PartlyRead[]
}

/** A request as it stands in the store. */
export interface OpenRescan {
  readonly id: number
  readonly asked: RescanRequest
  readonly turn: number
  /** Null before a server has begun. */
  readonly report: RescanReport | null
}

/** What those who asked see of it. */
export interface RescanProgress {
  /** Null before a server has begun. */
  readonly report: RescanReport | null
  /** What keeps it from going on right now; once it is done, why it was given up. */
  readonly trouble: string | null
  readonly done: boolean
}

// ── the store ──────────────────────────────────────────────────────────────────────────────────

/** A payment's addresses, and until when money to them was waited for. */
export interface Opening extends Watched {
  readonly monitorUntil: Instant
  /** Whether its watch is over. */
  readonly isOver: boolean
}

/** A transaction that the history says a block holds. */
export interface Recorded {
  readonly paymentId: string
  readonly txHash: string
  readonly blockHash: string
  readonly block: number
}

/** Requests on their way, and what of the history they need. Fails as `EventStore` does. */
export interface Rescans {
  /** Puts a request to the process that follows the chain; its id. */
  request(asked: RescanRequest): Promise<number>
  /** Says that somebody still waits for it, and answers how far it is. Null when it is gone. */
  progress(id: number): Promise<RescanProgress | null>
  /** Ends the work on it: its command is gone. What payments were given by then stays. */
  withdraw(id: number): Promise<void>
  /** Requests on these chains that are not done and that somebody waits for, oldest first. */
  requested(chains: readonly string[]): Promise<readonly OpenRescan[]>
  /** Writes down how far it is. False when it was withdrawn, or another process goes on with it. */
  report(of: Pick<OpenRescan, 'id' | 'turn'>, progress: RescanProgress): Promise<boolean>
  /** Whether some process follows the chain now. */
  isFollowed(chain: string): Promise<boolean>
  /** Payments of a mode, whether they are watched or not, in id order after `afterId`. */
  openings(livemode: boolean, afterId: string, limit: number): Promise<readonly Opening[]>
  /** What the history says that blocks of a chain between these numbers hold of payments. */
  recorded(chain: string, from: number, to: number): Promise<readonly Recorded[]>
}
