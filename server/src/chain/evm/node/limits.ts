import type { Backoff } from './backoff.ts'
import { type SightLimits, sightLimits } from './sight.ts'

/**
 * How many questions one task asks a node in parallel, and how many blocks it reads in parallel.
 */
export const atOnce = { questions: 16, blocks: 64 } as const

/**
 * Every limit of one follower. The defaults suit a public network; tests and sandboxes shorten
 * them.
 */
export interface FollowerLimits extends SightLimits {
  readonly connectWithinMs: number
  /** From the sending of a request to its answer. */
  readonly answerWithinMs: number
  /** Requests sent but not yet answered; further ones wait in line. */
  readonly inFlightMax: number
  /** How many of these may be of urgency `later`, such as reads of the mempool. */
  readonly laterInFlightMax: number
  /**
   * Waiting requests; beyond this the oldest `later` one is dropped, else the newest one refused.
   */
  readonly waitingMax: number
  /** How long a refused question is retried before it fails. */
  readonly refusedWithinMs: number
  readonly refusedBackoff: Backoff
  /** How long until a method that a node does not support is tried again. */
  readonly unsupportedForMs: number
  /** The largest message of a node; a block's receipts are the largest kind. */
  readonly frameBytesMax: number
  readonly pingEveryMs: number
  /** A half-open connection is only recognised by the missing answer to a ping. */
  readonly pongWithinMs: number
  readonly backoff: Backoff
  /** A connection that lived this long resets the backoff. */
  readonly stableAfterMs: number

  /** The head is polled when no notification came for this long: `newHeads` is only a hint. */
  readonly headPollMs: number
  /**
   * Without a subscription the head is polled twice per block, but no more often than this, and at
   * least every `headPollMs`.
   */
  readonly barePollMsMin: number
  readonly stepBlocksMax: number
  /**
   * At least this many blocks are remembered, and more back to the last final block. No reorg is
   * followed below the remembered blocks.
   */
  readonly windowBlocksMin: number
  /** At most this many blocks are remembered. The store keeps as many. */
  readonly windowBlocksMax: number
  /**
   * A chain that was never read before is started this far behind its head. Started at the head
   * itself, it could not survive a reorg of that very block: no older block would be known.
   */
  readonly beginBehindBlocks: number
  /**
   * How often a doubtful empty answer is asked for again before receipts decide, or it is accepted.
   */
  readonly emptyLogsAskedAgain: number
  /**
   * A slow provider is given up after this while another has the block too; longer for more blocks.
   */
  readonly patienceMs: number
  /**
   * How long a step waits for other providers to show its logs, and then again for its receipts;
   * later ones are reported later.
   */
  readonly corroborateWithinMs: number
  /** Inclusions that wait for other providers; beyond this the oldest are given up. */
  readonly corroborationsMax: number

  /** How often a provider that was refused as being on another chain is checked again. */
  readonly haltedRecheckMs: number
  /**
   * A provider that lags and shows no new head for this long has no vote on which branch is
   * followed; one whose head was mined longer ago is not waited for as a witness.
   */
  readonly voiceLastsMs: number
  /** Scores are reported with steps, but no more often than this. */
  readonly scoresEveryMs: number
}

export const defaultLimits: FollowerLimits = {
  ...sightLimits,
  connectWithinMs: 10_000,
  answerWithinMs: 10_000,
  inFlightMax: 128,
  laterInFlightMax: 16,
  waitingMax: 4_096,
  refusedWithinMs: 1_000,
  refusedBackoff: { baseMs: 100, maxMs: 1_000 },
  unsupportedForMs: 600_000,
  frameBytesMax: 64 * 1024 * 1024,
  pingEveryMs: 10_000,
  pongWithinMs: 5_000,
  backoff: { baseMs: 250, maxMs: 15_000 },
  stableAfterMs: 10_000,
  headPollMs: 4_000,
  barePollMsMin: 250,
  stepBlocksMax: 64,
  windowBlocksMin: 256,
  windowBlocksMax: 8_192,
  beginBehindBlocks: 32,
  emptyLogsAskedAgain: 2,
  patienceMs: 1_000,
  corroborateWithinMs: 150,
  corroborationsMax: 4_096,
  haltedRecheckMs: 30_000,
  voiceLastsMs: 30_000,
  scoresEveryMs: 1_000,
}
