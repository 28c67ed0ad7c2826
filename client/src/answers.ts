import type { ExplainedTransfer, PolicyExplanation } from '@settlewire/core/payment/explanation'
import type { ResolutionAction } from '@settlewire/core/payment/observation'
import type { Level, Tier } from '@settlewire/core/payment/policy'
import type { ChainSight, Visibility } from './wire-event.ts'

/** A transaction that the payer names, so that Settlewire searches for it. */
export interface ClaimRequest {
  readonly txHash: string
  /** Left out: every chain that the payment accepts is searched. */
  readonly chain?: string
}

/** The first result of the search at the nodes. Settlewire continues to search in any case. */
export interface ClaimAnswer {
  readonly txHash: string
  /** The chain whose nodes have it; null while no node has it. */
  readonly chain: string | null
  /** `not_found`: every node was asked and none has it. `unsure`: not every node could be asked. */
  readonly known: 'pending' | 'mined' | 'not_found' | 'unsure'
  /** Whether it pays this payment; null while this is unknown. */
  readonly pays: boolean | null
  /** The same as a sentence for people. */
  readonly message: string
}

/**
 * A decision of a person about money that no rule can settle. The reason is kept in the history.
 */
export interface ResolveRequest {
  readonly action: ResolutionAction
  readonly reason: string
}

/** An asset of a chain. `name` is the form that `accept` takes. */
export interface AssetInfo {
  readonly name: string
  readonly symbol: string
  readonly currency: string
  readonly token: string | null
  readonly decimals: number
}

/** The recent quality of one provider of a chain. Counts are since the start of the process. */
export interface ProviderInfo {
  readonly name: string
  readonly visibility: Visibility
  readonly reason: string | null
  readonly head: number | null
  readonly lagBlocks: number
  readonly lagMs: number
  readonly logsAsked: number
  readonly logsEmpty: number
  readonly disagreements: number
  readonly reconnects: number
  readonly firstSeen: number
}

/** A chain that accepts payments, its rules, and how well Settlewire sees it. */
export interface ChainInfo extends Omit<ChainSight, 'chain'> {
  readonly name: string
  /** The name for people. */
  readonly displayName: string
  readonly chainId: number
  readonly assets: readonly AssetInfo[]
  /** Configured, but not available right now. */
  readonly disabled: readonly (AssetInfo & { readonly reason: string })[]
  readonly native: {
    readonly symbol: string
    readonly currency: string
    readonly decimals: number
    readonly accepted: boolean
  }
  /** Whether the chain has a public mempool in which pending transactions can be seen. */
  readonly publicMempool: boolean
  /** A URL with `{hash}` in it. */
  readonly explorer: string | null
  readonly policy: {
    readonly version: string
    readonly settled: Level
    readonly final: Level
    readonly quorum: number
    readonly tiers: Readonly<Record<string, readonly Tier[]>>
    readonly sentences: readonly string[]
  }
  /** Why it is not fully seen; null if it is. */
  readonly reason: string | null
  /** The time of its last block; null before the first. */
  readonly headAt: string | null
  /**
   * The usual time between two blocks; `measured`: taken from recent blocks, not from the settings.
   */
  readonly pace: { readonly blockMs: number; readonly measured: boolean }
  readonly finality: {
    readonly safe: number | null
    readonly finalized: number | null
    readonly stalled: boolean
  }
  /** Only for secret and restricted keys. */
  readonly providers?: readonly ProviderInfo[]
}

/**
 * What a payment waits for, why, and about how long. `sources` and `deniedBy` are for keys only.
 */
export interface PolicyAnswer extends Omit<PolicyExplanation, 'transfers'> {
  readonly transfers: readonly (Omit<ExplainedTransfer, 'sources' | 'deniedBy'> &
    Partial<Pick<ExplainedTransfer, 'sources' | 'deniedBy'>>)[]
}
