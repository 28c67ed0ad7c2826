import type { ChainPolicy } from '@settlewire/core/payment/policy'
import type { EvmChainConfig, KnownToken } from '../../chain-config.ts'

/** What the follower of an EVM chain goes by, of all that is configured of it. */
export interface EvmChain
  extends Pick<EvmChainConfig, 'name' | 'chainId' | 'genesisHash' | 'blockMs' | 'publicMempool'>,
    Pick<EvmChainConfig, 'tags' | 'toleratedDepth' | 'bloom' | 'multicall3'>,
    Pick<EvmChainConfig, 'followBelowFinality' | 'providers'> {
  /** Every known one is looked for, so that the wrong one is recognised. What a token calls itself is never asked. */
  readonly tokens: readonly Pick<KnownToken, 'address'>[]
  readonly policy: Pick<ChainPolicy, 'quorum'>
}

/** The contracts as they are compared: in lower case. */
export const tokensOf = (chain: Pick<EvmChain, 'tokens'>): string[] =>
  chain.tokens.map(({ address }) => address.toLowerCase())

/** How a provider is named wherever a fact says where it came from. */
export const sourceOf = (name: string): string => `rpc:${name}`
