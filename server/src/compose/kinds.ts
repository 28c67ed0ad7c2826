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

/** What a follower is made with, of whatever kind. */
export interface FollowParts {
  readonly watch: WatchSet
  readonly sink: ChainSink
  readonly store: Pick<EventStore, 'position' | 'begin'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'chainSocket' | 'chainOdd'>
  /** What open payments are paid in on this chain, configured or not. */
  readonly openTokens: ReadonlySet<string>
}

/** What a chain's assets are checked with. */
export interface CheckParts {
  readonly tokens: readonly { readonly address: string; readonly decimals: number }[]
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** A kind of chain with what can be done with it here. */
export interface ChainAdapter {
  readonly kind: ChainKind
  follow(chain: ChainConfig, parts: FollowParts): ChainFollower
  /** Asks the chain whether it is the one that is configured, and its assets what they should be. Never rejects. */
  checkAssets(chain: ChainConfig, parts: CheckParts): Promise<ChainAnswer>
}

function evmOf(chain: ChainConfig): EvmChainConfig {
  assert(chain.kind === evm.name, 'the registry gives each kind its own members')
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

/** Every kind of chain that can be followed. A new one is its folder, a line here and a line in `registry/kinds.ts`. */
export const adapters: readonly ChainAdapter[] = [evmAdapter]

/** The adapter of a chain. `invalid_config` was thrown before for a kind that is not there. */
export function adapterOf(chain: ChainConfig, of: readonly ChainAdapter[]): ChainAdapter {
  const adapter = of.find(({ kind }) => kind.name === chain.kind)
  assert(adapter !== undefined, `there is an adapter for the kind ${chain.kind}`)
  return adapter
}
