import type { Backoff } from './backoff.ts'
import { type SightLimits, sightLimits } from './sight.ts'

/** Questions that one task asks a node side by side, and blocks that it reads so. */
export const atOnce = { questions: 16, blocks: 64 } as const

/** Every bound of one follower. The defaults suit a public network; tests and sandboxes shorten them. */
export interface Limits extends SightLimits {
  readonly connectWithinMs: number
  /** From the sending of a request to its answer. */
  readonly answerWithinMs: number
  /** Requests sent and not answered; more wait in line. */
  readonly inFlightMax: number
  /** Of these, how many may be a courtesy: a look at what is pending. */
  readonly laterInFlightMax: number
  /** Requests waiting in line. Of more the oldest courtesy gives way, else the newest is turned away. */
  readonly waitingMax: number
  /** So long a question that the node refuses is asked again, then it fails. */
  readonly refusedWithinMs: number
  readonly refusedBackoff: Backoff
  /** A method that a node lacks is asked for again so much later. */
  readonly unsupportedForMs: number
  /** One message of the node: a block's receipts are the largest. */
  readonly frameBytesMax: number
  readonly pingEveryMs: number
  /** A half-open connection shows only in the silence after a ping. */
  readonly pongWithinMs: number
  readonly backoff: Backoff
  /** A connection that lived so long starts the backoff anew. */
  readonly stableAfterMs: number

  /** `newHeads` is a hint; the head is asked for as often as this whatever it says. */
  readonly headPollMs: number
  /** On a wire that cannot subscribe it is asked for twice per block, but no more often than this. */
  readonly barePollMsMin: number
  readonly stepBlocksMax: number
  /** A reorg is followed this far back at least, further as long as nothing is final, */
  readonly windowBlocksMin: number
  /** and never further than this. The store keeps as many. */
  readonly windowBlocksMax: number
  /**
   * A chain never read before is begun this far behind its head. Begun at the head itself, it could
   * not survive the reorg of that very block: nothing older would be known.
   */
  readonly beginBehindBlocks: number
  /** Times that a doubtful empty answer is asked for again before receipts decide, or it is taken for one. */
  readonly emptyLogsAskedAgain: number
  /** While another provider has the block too, a slow one is given up after this, and longer for more blocks. */
  readonly patienceMs: number
  /** How long a step waits for other providers to show the same receipts; who is later tells later. */
  readonly corroborateWithinMs: number
  /** Inclusions that wait for other providers; the oldest of more are given up. */
  readonly corroborationsMax: number

  /** A provider that is refused, as being on another chain, is looked at again as often as this. */
  readonly haltedRecheckMs: number
  /**
   * A provider that lags and shows no new head for so long has no say in which branch is followed; one
   * whose head was made longer ago is not waited for as a witness.
   */
  readonly voiceLastsMs: number
  /** Scores are told with steps, but no more often than this. */
  readonly scoresEveryMs: number
}

export const defaultLimits: Limits = {
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
