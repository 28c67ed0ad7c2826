import type { ChainPolicy, Policy } from '@settlewire/core/payment/policy'
import type { EvmChainConfig, KnownToken } from '../chain-config.ts'

/** The sandbox's chain, as far as it is known before it runs: everything is shorter than out there. */
const local = {
  name: 'local',
  kind: 'evm',
  livemode: false,
  // Whatever it was born with: each data directory has a chain of its own.
  genesisHash: null,
  // Dust as on Ethereum: what anybody sends just to be seen is not the payment once more.
  native: {
    ...{ symbol: 'ETH', currency: 'ETH', decimals: 18, accepted: true },
    dust: 5_000_000_000_000n,
  },
  explorerTx: null,
  publicMempool: true,
  tags: ['safe', 'finalized'],
  toleratedDepth: 1,
  bloom: 'trusted',
  // It is taken back by hand, and by a power cut to what was last saved: no reason to stand still.
  followBelowFinality: true,
  toleranceBps: 0,
  pendingTtlMs: 60_000,
} as const satisfies Partial<EvmChainConfig>

const rules = (quorum: number): ChainPolicy => ({ settled: 3, final: 'finalized', quorum })

/** The rules of a sandbox whose chain is reached by one way. */
export const sandboxPolicy: Policy = { version: 'sandbox-1', chains: { local: rules(1) } }

/** Of one that is reached by two, of which either may be made bad. */
export const sandboxPairPolicy: Policy = { version: 'sandbox-2', chains: { local: rules(2) } }

const tieredRules: ChainPolicy = {
  ...rules(2),
  tiers: {
    USDC: [
      { upTo: '10', settled: 1 },
      { upTo: null, settled: 3 },
    ],
  },
}
/** The same, where small amounts wait for less. */
export const sandboxTieredPolicy: Policy = { version: 'sandbox-3', chains: { local: tieredRules } }

/** What the sandbox's chain is paid with, under which rules. Test assets: they never pay a live request. */
export function sandboxChain(chain: {
  readonly chainId: number
  /** Lower case. */
  readonly multicall3: string
  readonly providers: readonly { readonly name: string; readonly url: string }[]
  readonly tokens: readonly KnownToken[]
  readonly blockMs: number
}): EvmChainConfig {
  const { chainId, multicall3, blockMs } = chain
  return {
    ...{ ...local, chainId, multicall3, blockMs },
    tokens: chain.tokens.map((token) => ({ ...token, address: token.address.toLowerCase() })),
    policy: chain.providers.length > 1 ? tieredRules : rules(1),
    providers: chain.providers.map(({ name, url }) => ({
      ...{ name, url, pending: 'auto', preconfirmations: 'none' },
    })),
  }
}
