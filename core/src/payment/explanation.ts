import type { IgnoreReason, Stage } from './payment.ts'
import type { Level } from './policy.ts'
import type { Status } from './status-model.ts'

/** What one way to pay requires of this payment. */
export interface ExplainedRule {
  readonly asset: string
  readonly chain: string
  /** A number of blocks, including the one that holds the transfer, or a tag that nodes report. */
  readonly level: Level
  /**
   * The tier that sets the level, and the largest amount that it holds for (`upTo`, null for the
   * tier without an upper limit). Null if no tier applies.
   */
  readonly tier: { readonly upTo: string | null } | null
  /** From this level on nothing is expected to change. */
  readonly final: Level
  /**
   * Sources that must have shown the transfer in its block. If fewer providers than that are up,
   * fewer are enough.
   */
  readonly quorum: number
  /**
   * Estimated time from the transfer's block until it reaches `level`; null if it cannot be
   * estimated.
   */
  readonly aboutMs: number | null
  readonly sentence: string
}

/** Why a transfer counts or does not count, or what it lacks before it settles. */
export interface ExplainedTransfer {
  readonly txHash: string | null
  readonly chain: string
  readonly asset: string | null
  readonly amount: string
  readonly stage: Stage
  readonly ignored: IgnoreReason | null
  /** Null if its chain has no rule. */
  readonly level: Level | null
  /** The tier that sets the level, as in `ExplainedRule`; null if no tier applies. */
  readonly tier: { readonly upTo: string | null } | null
  readonly confirmations: number
  /** Names of the sources that showed it in its block. */
  readonly sources: readonly string[]
  /** Names of the sources that have its block and deny that the block holds it. */
  readonly deniedBy: readonly string[]
  readonly quorum: number
  readonly settled: boolean
  readonly missing: MissingToSettle
  /** Estimated time until it settles: 0 once it has settled, null if it cannot be estimated. */
  readonly aboutMs: number | null
  readonly sentence: string
}

/**
 * What a transfer lacks before it settles. All fields are null or 0 if it is not in a canonical
 * block, if its chain has no rule, or once it has settled.
 */
export interface MissingToSettle {
  /** How many more blocks it needs; null also if the level is a tag. */
  readonly blocks: number | null
  /** The tag that its block has not reached yet; null also if the level is a count. */
  readonly tag: 'safe' | 'finalized' | null
  /** How many more sources must show it; 0 also if fewer providers than the quorum are up. */
  readonly sources: number
  /** What delays it other than its depth. */
  readonly held: 'sources_disagree' | 'finality_stalled' | null
  /**
   * The end of the watch, after which a person decides if the transfer still has not settled. Only
   * while the payment is confirming, and only if a source denies the transfer, or if it is deep
   * enough but has not settled (too few sources show it, or providers contradict each other).
   */
  readonly until: string | null
}

/** The finality policy as it applies to one payment: data, and sentences that say the same. */
export interface PolicyExplanation {
  readonly object: 'policy_explanation'
  readonly id: string
  readonly status: Status
  readonly policy: string
  /** The amount less the tolerance: this much must settle, each transfer at its own level. */
  readonly requiredAmount: string
  readonly settledAmount: string
  /** The part of `requiredAmount` that no block holds yet. */
  readonly missingAmount: string
  /** A person decided, so no level delays the payment. */
  readonly decidedByPerson: boolean
  /**
   * Estimated time until the payment succeeds; null while money is missing, or if the time cannot
   * be estimated.
   */
  readonly aboutMs: number | null
  readonly rules: readonly ExplainedRule[]
  readonly transfers: readonly ExplainedTransfer[]
  readonly sentences: readonly string[]
}
