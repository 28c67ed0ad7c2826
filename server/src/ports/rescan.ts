/**
 * Reading blocks again that an earlier step reported: the operator's request, and what the engine
 * needs of the store for it. The follower's part is `Rereader` of `chain.ts`.
 */
import type { Instant } from '@settlewire/core/instant'
import type { Watched } from './history.ts'

// ── the request and its report ─────────────────────────────────────────────────────────────────

/** A range of a chain's blocks to read again, both ends included. */
export interface RescanRequest {
  readonly chain: string
  /** Null: the last block from 10 minutes before the payment was created; 0 without a payment. */
  readonly from: number | null
  /** Null: the last block stored when the rescan began. */
  readonly to: number | null
  /** Null: every payment that was watched while these blocks were made. */
  readonly paymentId: string | null
}

/** What a rescan found. Only `missing` changes a payment; the operator decides about the others. */
export type FindingKind =
  /** A block holds the transfer and the history did not: the rescan added it to the payment. */
  | 'missing'
  /** A block holds the transfer; the history may hold the same money in another form. */
  | 'unclear'
  /** The history holds the transfer, but its block does not. */
  | 'gone'

/** One finding: a transaction of a payment, in a block. */
export interface RescanFinding {
  readonly kind: FindingKind
  readonly paymentId: string
  readonly txHash: string
  readonly block: number
}

/** Blocks that not every configured provider has shown. */
export interface PartlyRead {
  /** The providers that did not show these blocks. */
  readonly notReadFrom: readonly string[]
  /** How many providers showed them. */
  readonly providers: number
  readonly blocks: number
}

/** How far a rescan has come, and what it found. */
export interface RescanReport {
  readonly from: number
  readonly to: number
  /** Every block below was read, and the payments have what was missing. */
  readonly next: number
  /** How many payments' addresses were searched. */
  readonly payments: number
  readonly counts: Readonly<Record<FindingKind, number>>
  /** The first findings; `counts` may count more than are listed. */
  readonly findings: readonly RescanFinding[]
  /** Blocks where contracts may have paid native coin and no provider has the old balances. */
  readonly unread: number
  /** Grouped by the providers that failed. Left out by older servers, which did not count them. */
  readonly partly?: readonly PartlyRead[]
}

/** A request with its latest report, as stored. */
export interface OpenRescan {
  readonly id: number
  readonly request: RescanRequest
  /**
   * Goes up with each report. A report with an old number is refused, because another process has
   * taken over.
   */
  readonly turn: number
  /** Null before a server has begun. */
  readonly report: RescanReport | null
}

/** What the operator's command sees of a rescan. */
export interface RescanProgress {
  /** Null before a server has begun. */
  readonly report: RescanReport | null
  /** What prevents progress right now; once `done`, why the rescan was given up. */
  readonly trouble: string | null
  readonly done: boolean
}

// ── the store ──────────────────────────────────────────────────────────────────────────────────

/** A payment's addresses, and the end of the time in which money to them is looked for. */
export interface OpenedPayment extends Watched {
  readonly monitorUntil: Instant
  /** Whether its watch is over. */
  readonly isOver: boolean
}

/** A transaction that a block holds, according to the history. */
export interface Recorded {
  readonly paymentId: string
  readonly txHash: string
  readonly blockHash: string
  readonly block: number
}

/** Rescan requests, and the reads of the history they need. Fails as `EventStore` does. */
export interface Rescans {
  /** Stores a request for the process that follows the chain; returns its id. */
  request(wanted: RescanRequest): Promise<number>
  /** The progress; also marks that the command still waits. Null when the request was deleted. */
  progress(id: number): Promise<RescanProgress | null>
  /** Ends the rescan because its command has gone. Transfers already added to payments stay. */
  withdraw(id: number): Promise<void>
  /** Unfinished requests on these chains whose command still waits, oldest first. */
  requested(chains: readonly string[]): Promise<readonly OpenRescan[]>
  /**
   * Stores the progress. False when the rescan was withdrawn, its command no longer waits, or
   * another process has taken it over.
   */
  report(of: Pick<OpenRescan, 'id' | 'turn'>, progress: RescanProgress): Promise<boolean>
  /** Whether some process follows the chain now. */
  isFollowed(chain: string): Promise<boolean>
  /** Payments of a mode, watched or not, in id order after `afterId`, at most `limit`. */
  createdPayments(
    livemode: boolean,
    afterId: string,
    limit: number,
  ): Promise<readonly OpenedPayment[]>
  /** The transactions that, by the history, paid in canonical blocks of a chain in this range. */
  recorded(chain: string, from: number, to: number): Promise<readonly Recorded[]>
}
