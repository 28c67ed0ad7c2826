import { assert } from '@settlewire/core/assert'
import { checkAssets } from '../chain/evm/asset-check.ts'
import { evm } from '../chain/evm/evm-kind.ts'
import { type EvmChain, EvmFollower } from '../chain/evm/follower.ts'
import type { ChainAnswer, ChainKind } from '../chain/kind.ts'
import type { ChainConfig, EvmChainConfig } from '../chain-config.ts'
import type { ChainFollower, ChainSink, WatchSet } from '../ports/chain.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore } from '../ports/history.ts'
import type { Log } from '../ports/log.ts'
import type { Metrics } from '../ports/metrics.ts'
import { withOpenTokens } from './chains.ts'

/** The dependencies of a follower of any kind of chain. */
export interface FollowParts {
  readonly watch: WatchSet
  readonly sink: ChainSink
  readonly store: Pick<EventStore, 'position' | 'begin'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'chainIncident' | 'chainOdd'>
  /** The tokens that open payments accept on this chain, configured or not. */
  readonly openTokens: ReadonlySet<string>
}

/** The dependencies of a check of a chain's assets. */
export interface AssetCheckParts {
  readonly tokens: readonly { readonly address: string; readonly decimals: number }[]
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** A kind of chain with its follower and its asset check. */
export interface ChainAdapter {
  readonly kind: ChainKind
  follow(chain: ChainConfig, parts: FollowParts): ChainFollower
  /** Checks the chain's id and its assets against the configuration. Never rejects. */
  checkAssets(chain: ChainConfig, parts: AssetCheckParts): Promise<ChainAnswer>
}

function evmOf(chain: ChainConfig): EvmChainConfig {
  assert(chain.kind === evm.name, 'the registry reads each kind with its own fields')
  return chain as EvmChainConfig // just asserted
}

/** Chains that speak Ethereum's JSON-RPC. */
export const evmAdapter: ChainAdapter = {
  kind: evm,
  follow: (chain, { openTokens, ...parts }) =>
    new EvmFollower({ ...parts, chain: withOpenTokens<EvmChain>(evmOf(chain), openTokens) }),
  checkAssets: (chain, { tokens, ...parts }) => {
    const { chainId, providers } = evmOf(chain)
    return checkAssets({ chainId, providers, tokens }, parts)
  },
}

/**
 * All kinds of chain that can be followed. A new kind is a folder, a line here and one in
 * `registry/kinds.ts`.
 */
export const adapters: readonly ChainAdapter[] = [evmAdapter]

/** The adapter of a chain. Reading the configuration has already refused unknown kinds. */
export function adapterOf(chain: ChainConfig, of: readonly ChainAdapter[]): ChainAdapter {
  const adapter = of.find(({ kind }) => kind.name === chain.kind)
  assert(adapter !== undefined, `there is an adapter for the kind ${chain.kind}`)
  return adapter
}
