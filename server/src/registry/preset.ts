import type { Level, Tier } from '@settlewire/core/payment/policy'
import type { PreconfirmationMode } from '../chain-config.ts'

/**
 * A token of a preset. Amounts are decimal strings in the token's own unit, addresses in EIP-55.
 */
export interface PresetToken {
  readonly symbol: string
  /** The currency of the payments that it can pay. Default: the symbol. */
  readonly currency?: string
  readonly address: string
  readonly decimals: number
  /** The token of which it is a bridged form. Always watched, to recognise it as a wrong token. */
  readonly twinOf?: string
  readonly dust: string
  /** Where the address is published, so that people can compare it. */
  readonly source: string
}

/**
 * Known facts of a public chain. Each address was compared with independent copies of its source.
 */
export interface Preset {
  readonly title: string
  readonly chainId: number
  readonly livemode: boolean
  readonly genesisHash: string
  /** Where the hash of block 0 is published. */
  readonly genesisSource: string
  readonly native: {
    readonly symbol: string
    readonly decimals: number
    readonly dust: string
  }
  readonly explorerTx: string
  readonly blockMs: number
  readonly publicMempool: boolean
  readonly preconfirmations: PreconfirmationMode
  readonly tags: readonly ('safe' | 'finalized')[]
  readonly toleratedDepth: number
  /** `trusted` if the rules of the chain guarantee that a header's bloom covers all its logs. */
  readonly bloom: 'trusted' | 'untrusted'
  readonly multicall3: string
  readonly tokens: readonly PresetToken[]
  readonly policy: {
    readonly settled: Level
    readonly final: Level
    readonly tiers: Readonly<Record<string, readonly Tier[]>>
  }
}

/**
 * The same contract at the same address on all these chains: https://github.com/mds1/multicall3.
 */
export const multicall3 = '0xcA11bde05977b3631167028862bE2a173976CA11'

/** Where Circle publishes its USDC contracts. */
export const circle = 'https://developers.circle.com/stablecoins/usdc-contract-addresses'

/** USDC as issued by Circle: on every chain the same except for its address. */
export const usdc = (address: string): PresetToken => ({
  symbol: 'USDC',
  address,
  decimals: 6,
  dust: '0.01',
  source: circle,
})

/** A dollar token that is not Circle's USDC. */
export const dollars = (
  token: Pick<PresetToken, 'symbol' | 'address' | 'source'> & { twinOf?: string },
): PresetToken => ({ ...token, decimals: 6, dust: '0.01' })

/** A chain with test money. */
export const testnet = { livemode: false } as const

/** Ether, on chains where it pays for gas. */
export const ether = { symbol: 'ETH', decimals: 18, dust: '0.000005' } as const

/** The same tiers for each of these assets. */
export const tiersFor = (
  symbols: readonly string[],
  tiers: readonly Tier[],
): Record<string, readonly Tier[]> =>
  Object.fromEntries(symbols.map((symbol) => [symbol, tiers] as const))

/** Amounts up to and including `upTo` are settled at this level; null: all larger amounts. */
export const tier = (upTo: string | null, settled: Level): Tier => ({ upTo, settled })
