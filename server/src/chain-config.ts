import type { ChainId } from '@settlewire/core/payment/payment'
import type { ChainPolicy } from '@settlewire/core/payment/policy'

/** How to read pending transactions from a provider; `auto` tries what it supports, best first. */
export const pendingModes = ['auto', 'full', 'hashes', 'alchemy', 'none'] as const
export type PendingMode = (typeof pendingModes)[number]

/** How a provider reports the sequencer's preconfirmations, before there is a block. */
export const preconfirmationModes = ['none', 'pending_logs', 'flashblocks'] as const
export type PreconfirmationMode = (typeof preconfirmationModes)[number]

/** One node, or one company's many nodes behind one URL. */
export interface NamedProvider {
  /** Identifies it in evidence, logs, metrics and answers. */
  readonly name: string
  /** A secret: it may contain an API key. */
  readonly url: string
}

/** A provider of the JSON-RPC of EVM chains, by ws, wss, http or https. */
export interface ProviderConfig extends NamedProvider {
  readonly pending: PendingMode
  readonly preconfirmations: PreconfirmationMode
}

/** The coin with which fees are paid. */
export interface NativeCoin {
  readonly symbol: string
  readonly currency: string
  readonly decimals: number
  readonly accepted: boolean
  /** Smaller transfers are ignored as dust. In the smallest unit. */
  readonly dust: bigint
}

/** A token contract that is watched, as a way to pay or to recognise transfers sent by mistake. */
export interface KnownToken {
  readonly symbol: string
  readonly currency: string
  /** In the form in which the chain's kind stores addresses. */
  readonly address: string
  readonly decimals: number
  /** Whether requests may name it. Tokens that are not accepted are recognised as `wrong_token`. */
  readonly accepted: boolean
  /**
   * The symbol of the token of which this is a bridged form, and with which it is easily confused.
   */
  readonly twinOf: string | null
  readonly dust: bigint
  /** Where the address is published, so that people can compare it. */
  readonly source: string
}

/** The configuration of one chain. It is checked against what the chain reports about itself. */
export interface ChainConfig {
  /** The name in `USDC.base`. */
  readonly name: string
  /** The name for people. Default: its name in core, or else `name`. */
  readonly displayName?: string
  /** The name of its `ChainKind`, such as `evm`. */
  readonly kind: string
  readonly chainId: ChainId
  /** Whether its money is real. */
  readonly livemode: boolean
  /** Null: the first genesis hash that is read is stored, and must not change. */
  readonly genesisHash: string | null
  readonly native: NativeCoin
  /** `https://…/tx/{hash}`; null without an explorer. */
  readonly explorerTx: string | null
  /** The usual time between two blocks. */
  readonly blockMs: number
  /** Whether the chain has a public mempool in which pending transactions are visible. */
  readonly publicMempool: boolean
  readonly tokens: readonly KnownToken[]
  /** The underpayment that still counts as paid, in hundredths of a percent of the amount. */
  readonly toleranceBps: number
  /**
   * How long a transaction may be pending before the providers are asked whether it was dropped.
   */
  readonly pendingTtlMs: number
  readonly policy: ChainPolicy
  readonly providers: readonly NamedProvider[]
}

/** An EVM chain. */
export interface EvmChainConfig extends ChainConfig {
  readonly kind: 'evm'
  readonly chainId: number
  /** The block tags that its nodes support reliably. */
  readonly tags: readonly ('safe' | 'finalized')[]
  /** By how many blocks at the head providers may differ before it counts as a disagreement. */
  readonly toleratedDepth: number
  /**
   * Whether a header's `logsBloom` covers all its logs. If not, the logs of each block are read.
   */
  readonly bloom: 'trusted' | 'untrusted'
  /** Whether to follow a reorg below a final block. A person must have checked: docs/chains.md. */
  readonly followBelowFinality: boolean
  /** Lower case; null if the chain has no Multicall3. */
  readonly multicall3: string | null
  readonly providers: readonly ProviderConfig[]
}
