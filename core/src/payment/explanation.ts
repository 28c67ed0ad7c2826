import type { IgnoreReason, Stage } from './payment.ts'
import type { Level } from './policy.ts'
import type { Status } from './status-model.ts'

/** What one way to pay requires of this payment. */
export interface ExplainedRule {
  readonly asset: string
  readonly chain: string
  /** So many blocks, the one that holds the transfer included, or a tag that the nodes are asked for. */
  readonly level: Level
  /** Up to which amount this level holds; null when no tier was needed to find it. */
  readonly tier: { readonly upTo: string | null } | null
  /** From this level on nothing is expected to change. */
  readonly final: Level
  /** Sources that must have shown the transfer in its block. */
  readonly quorum: number
  /** From the block on, as measured; null where nobody can say. */
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
  /** Those that showed it in its block, by name. */
  readonly sources: readonly string[]
  /** Those that have its block and say that it does not hold it, by name. */
  readonly deniedBy: readonly string[]
  readonly quorum: number
  readonly settled: boolean
  readonly missing: Missing
  readonly aboutMs: number | null
  readonly sentence: string
}

/** What a transfer in a block still lacks. */
export interface Missing {
  /** Null where the level is a tag, or the transfer is in no block. */
  readonly blocks: number | null
  readonly tag: 'safe' | 'finalized' | null
  readonly sources: number
  /** What holds it back beside its depth. */
  readonly held: 'sources_disagree' | 'finality_stalled' | null
  /** When a person is asked to decide if providers still hold it back then; null where they do not, or it has passed. */
  readonly until: string | null
}

/** The finality policy as it applies to one payment: data, and sentences that say the same. */
export interface PolicyExplanation {
  readonly object: 'policy_explanation'
  readonly id: string
  readonly status: Status
  readonly policy: string
  /** What must stand in blocks, each part at its level: the amount less its tolerance. */
  readonly requiredAmount: string
  readonly settledAmount: string
  readonly missingAmount: string
  /** A person decided, and no level holds the payment back. */
  readonly decidedByPerson: boolean
  /** Until the payment succeeds if nothing else comes between; null where nobody can say. */
  readonly aboutMs: number | null
  readonly rules: readonly ExplainedRule[]
  readonly transfers: readonly ExplainedTransfer[]
  readonly sentences: readonly string[]
}
