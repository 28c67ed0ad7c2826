import type { Level, Tier } from '@settlewire/core/payment/policy'
import type { PendingMode, PreconfirmationMode } from './chain-config.ts'
import type { PresetName } from './registry/presets.ts'

/** An environment variable with a secret. The secret is the whole value, or a part of it. */
export interface EnvReference {
  readonly env: string
  /** Builds the text from the value. Default: the value is the whole text. */
  readonly into?: (value: string) => string
}

/** A node, or a company that runs many nodes. Two providers should not share a node. */
export interface ProviderInput {
  /** Identifies it everywhere. Lower case, because it becomes a metric label. */
  readonly name: string
  /**
   * wss, ws, https or http. A URL with a key should come from the environment:
   * `env('BASE_RPC_URL')`.
   */
  readonly url: string | EnvReference
  /** How to read pending transactions. Default: `auto`, or `none` without a public mempool. */
  readonly pending?: PendingMode
  /** Default: from the preset. */
  readonly preconfirmations?: PreconfirmationMode
}

/** When a transfer is settled and final. Defaults come from the preset. */
export interface PolicyInput {
  /**
   * A number of blocks including the transfer's own, or a tag. If set, it replaces the preset's
   * tiers.
   */
  readonly settled?: Level
  readonly final?: Level
  /** Providers that must have shown a transfer. Default: 2 for real money, else 1. */
  readonly quorum?: number
  /**
   * The tiers of each asset, with rising `upTo`. The first tier whose `upTo` is at least the amount
   * applies. The key `*` is for assets not listed.
   */
  readonly tiers?: Readonly<Record<string, readonly Tier[]>>
}

/** A token that is not in the preset. */
export interface TokenInput {
  readonly address: string
  readonly decimals: number
  /** The currency of the payments that it can pay. Default: its symbol in capitals. */
  readonly currency?: string
  /** The symbol of the token of which it is a bridged form. */
  readonly twinOf?: string
  /** Smaller transfers do not count: a decimal string in whole tokens, such as `0.01`. */
  readonly dust?: string
  /** Where the address is published, so that people can compare it. */
  readonly source?: string
}

interface AnyChain {
  /** Default: `evm`. */
  readonly kind?: 'evm'
  /** The name on pages: `My Chain`. Default: the preset's title, or its key in `chains`. */
  readonly name?: string
  readonly providers: readonly ProviderInput[]
  /**
   * Symbols that payments may accept. Other known tokens are watched and flagged as wrong token.
   */
  readonly accept: readonly string[]
  /** By symbol. */
  readonly tokens?: Readonly<Record<string, TokenInput>>
  /** Dust limits by symbol: each a decimal string in whole tokens, such as `0.01`. */
  readonly dust?: Readonly<Record<string, string>>
  /** The underpayment that still counts as paid, in hundredths of a percent. Default: 0. */
  readonly toleranceBps?: number
  /**
   * How long a transaction may be pending before providers are asked whether it was dropped.
   * Default: 4 h.
   */
  readonly pendingTtlSeconds?: number
  /**
   * Follows a reorg below a final block like any other. Set it for a chain that has halted with
   * `reorg_below_finality`, after a person has checked, and remove it afterwards. Default: false.
   */
  readonly followBelowFinality?: boolean
}

/** A chain with a preset in the registry. */
export interface PresetChain extends AnyChain {
  readonly preset: PresetName
  readonly policy?: PolicyInput
}

/** A chain without a preset. */
export interface CustomChain extends AnyChain {
  readonly chainId: number
  /** Whether its money is real: live payments use live chains, test payments all others. */
  readonly livemode: boolean
  /** The hash of block 0. Default: the first hash that is read is stored, and must not change. */
  readonly genesisHash?: string
  readonly native: {
    readonly symbol: string
    /** Default: 18. */
    readonly decimals?: number
    readonly currency?: string
  }
  /** `https://explorer.example/tx/{hash}`. */
  readonly explorerTx?: string
  /** The usual time between two blocks. */
  readonly blockMs: number
  /** Whether pending transactions are visible in a public mempool. Default: false. */
  readonly publicMempool?: boolean
  /** The block tags that its nodes support reliably. Default: none. */
  readonly tags?: readonly ('safe' | 'finalized')[]
  /** By how many blocks at the head providers may differ. Default: 3. */
  readonly toleratedDepth?: number
  /**
   * `trusted`: all headers have correct `logsBloom`s, so blocks without our tokens are skipped.
   * Default: untrusted.
   */
  readonly bloom?: 'trusted' | 'untrusted'
  /** The address of Multicall3. Default: none, so balances of open payments are read one by one. */
  readonly multicall3?: string
  readonly policy: PolicyInput & { readonly settled: Level; readonly final: Level }
}

/** The default export of `settlewire.config.ts`. */
export interface SettlewireConfig {
  /** By the name in asset names: `base` in `USDC.base`. */
  readonly chains: Readonly<Record<string, PresetChain | CustomChain>>
  /** The default for all chains. */
  readonly policy?: Pick<PolicyInput, 'quorum'>
}

/**
 * Adds types to the configuration: `export default defineConfig({ … })`. Validated at the start.
 */
export const defineConfig = (config: SettlewireConfig): SettlewireConfig => config

/**
 * A value from the environment, so that secrets stay out of the file. Read once, at the start.
 * `into` builds a text around it: `env('KEY', (key) => 'wss://node.example/v2/' + key)`.
 */
export const env = (name: string, into?: (value: string) => string): EnvReference =>
  into === undefined ? { env: name } : { env: name, into }
