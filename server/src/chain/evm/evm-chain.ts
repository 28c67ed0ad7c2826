import type { ChainPolicy } from '@settlewire/core/payment/policy'
import type { EvmChainConfig, KnownToken } from '../../chain-config.ts'

/** The part of a chain's configuration that its EVM follower uses. */
export interface EvmChain
  extends Pick<EvmChainConfig, 'name' | 'chainId' | 'genesisHash' | 'blockMs' | 'publicMempool'>,
    Pick<EvmChainConfig, 'tags' | 'toleratedDepth' | 'bloom' | 'multicall3'>,
    Pick<EvmChainConfig, 'followBelowFinality' | 'providers'> {
  /**
   * The follower looks for every known token, so that a payment in the wrong one is recognised. It
   * never asks a token for its name or symbol.
   */
  readonly tokens: readonly Pick<KnownToken, 'address'>[]
  readonly policy: Pick<ChainPolicy, 'quorum'>
}

/** The token contracts in lower case, as they are compared. */
export const tokensOf = (chain: Pick<EvmChain, 'tokens'>): string[] =>
  chain.tokens.map(({ address }) => address.toLowerCase())

/** The name of a provider as the source of a fact. */
export const sourceOf = (name: string): string => `rpc:${name}`
