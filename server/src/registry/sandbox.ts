import type { ChainPolicy, Policy } from '@settlewire/core/payment/policy'
import type { EvmChainConfig, KnownToken } from '../chain-config.ts'

/** The static configuration of the sandbox's chain. All times are shorter than on public chains. */
const local = {
  name: 'local',
  kind: 'evm',
  livemode: false,
  // Unknown: each data directory has its own chain.
  genesisHash: null,
  // Dust as on Ethereum: a tiny transfer by a third party must not count as another payment.
  native: {
    symbol: 'ETH',
    currency: 'ETH',
    decimals: 18,
    accepted: true,
    dust: 5_000_000_000_000n,
  },
  explorerTx: null,
  publicMempool: true,
  tags: ['safe', 'finalized'],
  toleratedDepth: 1,
  bloom: 'trusted',
  // Reorgs by hand, and by a power cut to the last saved state, are normal here: do not halt.
  followBelowFinality: true,
  toleranceBps: 0,
  pendingTtlMs: 60_000,
} as const satisfies Partial<EvmChainConfig>

const rules = (quorum: number): ChainPolicy => ({ settled: 3, final: 'finalized', quorum })

/** The policy of a sandbox with one provider. */
export const sandboxPolicy: Policy = { version: 'sandbox-1', chains: { local: rules(1) } }

/** The policy of a sandbox with two providers, each of which may be given a fault. */
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
/** The same with a lower level for small amounts. */
export const sandboxTieredPolicy: Policy = { version: 'sandbox-3', chains: { local: tieredRules } }

/** The configuration of the sandbox's chain. Its test assets never pay a live payment. */
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
    ...local,
    chainId,
    multicall3,
    blockMs,
    tokens: chain.tokens.map((token) => ({ ...token, address: token.address.toLowerCase() })),
    policy: chain.providers.length > 1 ? tieredRules : rules(1),
    providers: chain.providers.map(({ name, url }) => ({
      name,
      url,
      pending: 'auto',
      preconfirmations: 'none',
    })),
  }
}
