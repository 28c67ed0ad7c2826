import type { IgnoreReason, Stage } from './payment.ts'
import type { Level } from './policy.ts'
import type { Status } from './status-model.ts'

/** What one way to pay requires of this payment. */
export interface ExplainedRule {
  readonly asset: string
  readonly chain: string
  /** A number of blocks, including the one that holds the transfer, or a tag that nodes report. */
  readonly level: Level
  /** Up to which amount this level holds; null when the level comes from no tier. */
  readonly tier: { readonly upTo: string | null } | null
  /** From this level on nothing is expected to change. */
  readonly final: Level
  /** Sources that must have shown the transfer in its block. */
  readonly quorum: number
  /** Measured from the block on; null while there is no measurement. */
  readonly aboutMs: number | null
  readonly sentence: string
}

/** Why a transfer counts, or what is still missing until it does. */
export interface ExplainedTransfer {
  readonly txHash: string | null
  readonly chain: string
  readonly asset: string | null
  readonly amount: string
  readonly stage: Stage
  readonly ignored: IgnoreReason | null
  readonly level: Level | null
  readonly tier: { readonly upTo: string | null } | null
  readonly confirmations: number
  /** Names of the sources that showed it in its block. */
  readonly sources: readonly string[]
  /** Names of the sources that have its block and deny that the block holds it. */
  readonly deniedBy: readonly string[]
  readonly quorum: number
  readonly settled: boolean
  readonly missing: MissingToSettle
  readonly aboutMs: number | null
  readonly sentence: string
}

/** What a transfer in a block still lacks. */
export interface MissingToSettle {
  /** Null where the level is a tag, or the transfer is in no block. */
  readonly blocks: number | null
  readonly tag: 'safe' | 'finalized' | null
  readonly sources: number
  /** What delays it other than its depth. */
  readonly held: 'sources_disagree' | 'finality_stalled' | null
  /**
   * When a person has to decide if providers still disagree; null if they do not, or it has passed.
   */
  readonly until: string | null
}

/** The finality policy as it applies to one payment: data, and sentences that say the same. */
export interface PolicyExplanation {
  readonly object: 'policy_explanation'
  readonly id: string
  readonly status: Status
  readonly policy: string
  /** What must be in blocks, each part at its level: the amount less its tolerance. */
  readonly requiredAmount: string
  readonly settledAmount: string
  readonly missingAmount: string
  /** A person decided, so no level delays the payment. */
  readonly decidedByPerson: boolean
  /** Time until the payment succeeds if nothing intervenes; null while there is no measurement. */
  readonly aboutMs: number | null
  readonly rules: readonly ExplainedRule[]
  readonly transfers: readonly ExplainedTransfer[]
  readonly sentences: readonly string[]
}
