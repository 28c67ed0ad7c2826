import type { ChainId } from '@settlewire/core/payment/payment'
import type { ChainPolicy } from '@settlewire/core/payment/policy'

/** How a provider is asked for pending transactions; `auto` tries what it offers, best first. */
export const pendingModes = ['auto', 'full', 'hashes', 'alchemy', 'none'] as const
export type PendingMode = (typeof pendingModes)[number]

/** How a provider tells what the sequencer has promised before there is a block. */
export const preconfirmationModes = ['none', 'pending_logs', 'flashblocks'] as const
export type PreconfirmationMode = (typeof preconfirmationModes)[number]

/** One node, or one company's many nodes, that shows a chain. */
export interface NamedProvider {
  /** Stands for it in evidence, logs, metrics and answers. */
  readonly name: string
  /** A secret: it may hold a key. */
  readonly url: string
}

/** One that speaks the JSON-RPC of EVM chains, by ws, wss, http or https. */
export interface ProviderConfig extends NamedProvider {
  readonly pending: PendingMode
  readonly preconfirmations: PreconfirmationMode
}

/** The coin that fees are paid with. */
export interface NativeCoin {
  readonly symbol: string
  readonly currency: string
  readonly decimals: number
  readonly accepted: boolean
  /** Transfers of less, in the smallest unit, are noise. */
  readonly dust: bigint
}

/** A token contract that is watched: to be paid with, or to recognise what was sent by mistake. */
export interface KnownToken {
  readonly symbol: string
  readonly currency: string
  /** As the chain's kind stores it. */
  readonly address: string
  readonly decimals: number
  /** Whether requests may name it. Tokens that are not accepted are recognised as `wrong_token`. */
  readonly accepted: boolean
  /** The symbol that it is a bridged form of, and easily taken for. */
  readonly twinOf: string | null
  readonly dust: bigint
  /** Where the address is published, for people to compare with. */
  readonly source: string
}

/** Everything this installation holds true of one chain. What the chain says of itself is checked against it. */
export interface ChainConfig {
  /** The name in `USDC.base`. */
  readonly name: string
  /** What people read; left out: what core calls it, or else its name. */
  readonly displayName?: string
  /** Its `ChainKind`, by name: `evm`. */
  readonly kind: string
  readonly chainId: ChainId
  /** Whether its money is real. */
  readonly livemode: boolean
  /** Null: whatever genesis is found first is remembered. */
  readonly genesisHash: string | null
  readonly native: NativeCoin
  /** `https://…/tx/{hash}`; null without an explorer. */
  readonly explorerTx: string | null
  /** The usual time between two blocks. */
  readonly blockMs: number
  /** Whether pending transactions can be seen by anyone at all. */
  readonly publicMempool: boolean
  readonly tokens: readonly KnownToken[]
  /** What may be missing from an amount without harm, in hundredths of a percent. */
  readonly toleranceBps: number
  /** So long may a transaction be pending before it is asked whether it is gone. */
  readonly pendingTtlMs: number
  readonly policy: ChainPolicy
  readonly providers: readonly NamedProvider[]
}

/** An EVM chain. */
export interface EvmChainConfig extends ChainConfig {
  readonly kind: 'evm'
  readonly chainId: number
  /** The tags its nodes answer truthfully. */
  readonly tags: readonly ('safe' | 'finalized')[]
  /** So many blocks may providers differ in at the head before it is a disagreement. */
  readonly toleratedDepth: number
  /** Whether its headers tell the truth of their logs. If not, each block is asked for its logs. */
  readonly bloom: 'trusted' | 'untrusted'
  /** Whether a reorg is followed below what was final. A person must have looked: docs/chains.md. */
  readonly followBelowFinality: boolean
  /** Lower case; null where there is none. */
  readonly multicall3: string | null
  readonly providers: readonly ProviderConfig[]
}
