import type { Level, Tier } from '@settlewire/core/payment/policy'
import type { PendingMode, PreconfirmationMode } from './chain-config.ts'
import type { PresetName } from './registry/presets.ts'

/** A variable of the environment that holds a secret, or is the part of a text that is one. */
export interface EnvReference {
  readonly env: string
  /** Puts the value where it belongs; left out: it is the whole text. */
  readonly into?: (value: string) => string
}

/** A node, or a company that runs many. Two of them should not share one. */
export interface ProviderInput {
  /** Stands for it everywhere. Lower case, for it becomes a label. */
  readonly name: string
  /** wss, ws, https or http. What holds a key should come from the environment: `env('BASE_RPC_URL')`. */
  readonly url: string | EnvReference
  /** How pending transactions are asked for. Left out: `auto`, and `none` where there is no public mempool. */
  readonly pending?: PendingMode
  /** Left out: what the preset says. */
  readonly preconfirmations?: PreconfirmationMode
}

/** How sure is sure. What is left out comes from the preset. */
export interface PolicyInput {
  /** So many blocks, the one of the transfer included, or a tag. Stated, it replaces the preset's tiers too. */
  readonly settled?: Level
  readonly final?: Level
  /** Sources that must have shown a transfer. Left out: 2 where the money is real, else 1. */
  readonly quorum?: number
  /** By asset, in rising order; the first whose `upTo` is not exceeded holds. `*` stands for assets not named. */
  readonly tiers?: Readonly<Record<string, readonly Tier[]>>
}

/** A token that no preset knows. */
export interface TokenInput {
  readonly address: string
  readonly decimals: number
  /** What requests are priced in that it can pay. Left out: its symbol in capitals. */
  readonly currency?: string
  /** The symbol of which it is a bridged form. */
  readonly twinOf?: string
  /** Transfers of less do not count: a decimal string in its own unit. */
  readonly dust?: string
  /** Where the address is published, to be compared with. */
  readonly source?: string
}

interface AnyChain {
  /** Left out: `evm`. */
  readonly kind?: 'evm'
  /** What people read on pages: `My Chain`. Left out: the preset's title, or the name that assets carry. */
  readonly name?: string
  readonly providers: readonly ProviderInput[]
  /** The symbols that requests may name. Other tokens known here are watched, and told apart. */
  readonly accept: readonly string[]
  /** By symbol. */
  readonly tokens?: Readonly<Record<string, TokenInput>>
  /** By symbol: decimal strings in the asset's own unit. */
  readonly dust?: Readonly<Record<string, string>>
  /** May be missing from an amount without harm, in hundredths of a percent. Left out: nothing may. */
  readonly toleranceBps?: number
  /** So long may a transaction be pending before it is asked whether it is gone. Left out: 4 hours. */
  readonly pendingTtlSeconds?: number
  /**
   * Lets a reorg below what was final be followed like any other. For a chain that stands still with
   * `reorg_below_finality`, once a person has looked; to be taken out again. Left out: false.
   */
  readonly followBelowFinality?: boolean
}

/** A chain of the registry. */
export interface PresetChain extends AnyChain {
  readonly preset: PresetName
  readonly policy?: PolicyInput
}

/** A chain that the registry does not know. */
export interface CustomChain extends AnyChain {
  readonly chainId: number
  /** Whether its money is real: live requests are paid on live chains, test requests on others. */
  readonly livemode: boolean
  /** The hash of block 0. Left out: the first one found is remembered, and must stay. */
  readonly genesisHash?: string
  readonly native: {
    readonly symbol: string
    /** Left out: 18. */
    readonly decimals?: number
    readonly currency?: string
  }
  /** `https://explorer.example/tx/{hash}`. */
  readonly explorerTx?: string
  /** The usual time between two blocks. */
  readonly blockMs: number
  /** Left out: false. Nothing pretends to see a mempool that there is none of. */
  readonly publicMempool?: boolean
  /** The tags that its nodes answer truthfully. Left out: none. */
  readonly tags?: readonly ('safe' | 'finalized')[]
  /** So many blocks may providers differ in at the head. Left out: 3. */
  readonly toleratedDepth?: number
  /** Whether every node's headers carry true `logsBloom`s: blocks without our tokens are then passed. Left out: untrusted. */
  readonly bloom?: 'trusted' | 'untrusted'
  /** Left out: there is none, and the balances of open payments are asked for one by one. */
  readonly multicall3?: string
  readonly policy: PolicyInput & { readonly settled: Level; readonly final: Level }
}

/** What `settlewire.config.ts` exports. */
export interface SettlewireConfig {
  /** By the name that assets carry: `base` in `USDC.base`. */
  readonly chains: Readonly<Record<string, PresetChain | CustomChain>>
  /** For every chain that does not say otherwise. */
  readonly policy?: Pick<PolicyInput, 'quorum'>
}

/** Gives the configuration its types; `export default defineConfig({ … })`. Nothing is checked before the start. */
export const defineConfig = (config: SettlewireConfig): SettlewireConfig => config

/**
 * A value from the environment, so that secrets stay out of the file. Read once, at the start.
 * With `into`, part of a text: `env('KEY', (key) => 'wss://node.example/v2/' + key)`.
 */
export const env = (name: string, into?: (value: string) => string): EnvReference =>
  into === undefined ? { env: name } : { env: name, into }
