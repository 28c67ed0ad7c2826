import type { Level, Tier } from '@settlewire/core/payment/policy'
import type { PreconfirmationMode } from '../chain-config.ts'

/** A token of a preset. Amounts are decimal strings in the token's own unit, addresses in EIP-55. */
export interface PresetToken {
  readonly symbol: string
  /** What requests are priced in that it can pay. Left out: the symbol. */
  readonly currency?: string
  readonly address: string
  readonly decimals: number
  /** The symbol that it is a bridged form of. Watched always, so that it is recognised when it comes instead. */
  readonly twinOf?: string
  readonly dust: string
  /** Where the address is published, to be compared with. */
  readonly source: string
}

/** What is known of a public chain without asking it. Each address was compared with independent copies of what its source publishes. */
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
  /** `trusted` where the chain's rules bind a header to its logs, and all of them. */
  readonly bloom: 'trusted' | 'untrusted'
  readonly multicall3: string
  readonly tokens: readonly PresetToken[]
  readonly policy: {
    readonly settled: Level
    readonly final: Level
    readonly tiers: Readonly<Record<string, readonly Tier[]>>
  }
}

/** One contract at one address on every chain listed here: see https://github.com/mds1/multicall3. */
export const multicall3 = '0xcA11bde05977b3631167028862bE2a173976CA11'

/** Where Circle publishes the contracts that it issues USDC with. */
export const circle = 'https://developers.circle.com/stablecoins/usdc-contract-addresses'

/** USDC as Circle issues it: the same on every chain but for its address. */
export const usdc = (address: string): PresetToken => ({
  ...{ symbol: 'USDC', address, decimals: 6, dust: '0.01' },
  source: circle,
})

/** A dollar token that is not Circle's USDC. */
export const dollars = (
  token: Pick<PresetToken, 'symbol' | 'address' | 'source'> & { twinOf?: string },
): PresetToken => ({ ...token, decimals: 6, dust: '0.01' })

/** Money that is only there to be played with. */
export const testnet = { livemode: false } as const

/** Ether, on the chains whose gas is paid with it. */
export const ether = { symbol: 'ETH', decimals: 18, dust: '0.000005' } as const

/** The same tiers for each of these assets. */
export const tiersFor = (
  symbols: readonly string[],
  tiers: readonly Tier[],
): Record<string, readonly Tier[]> =>
  Object.fromEntries(symbols.map((symbol) => [symbol, tiers] as const))

/** Settled at `level` up to an amount, included; `upTo` null is for all that is more. */
export const tier = (upTo: string | null, settled: Level): Tier => ({ upTo, settled })
