import { Failure } from '@settlewire/core/errors'
import type { ChainConfig } from '../chain-config.ts'
import type { WatchIndex } from '../engine/watch/watch-index.ts'
import type { Watcher } from '../engine/watch/watcher.ts'
import type { ChainFollower, ChainHealth, ChainSink, LookUp } from '../ports/chain.ts'
import { adapterOf, type ChainAdapter, type FollowParts } from './kinds.ts'

export interface FollowerParts extends Omit<FollowParts, 'watch' | 'sink' | 'openTokens'> {
  readonly watcher: Watcher
  /** The tokens that open payments accept. New ones may be added at any time. */
  readonly index: Pick<WatchIndex, 'tokens'>
  readonly chains: readonly ChainConfig[]
  readonly adapters: readonly ChainAdapter[]
}

/**
 * One follower for each chain that this process follows. Created before the followers start,
 * because the engine looks up transactions through it.
 */
export class Followers {
  readonly #byChain = new Map<string, ChainFollower>()
  #parts: FollowerParts | null = null

  /**
   * Looks up a transaction at the providers of a chain; `unsure` if not followed. Never rejects.
   */
  readonly lookUp = async (chain: string, txHash: string): Promise<LookUp> =>
    (await this.#byChain.get(chain)?.lookUp(txHash)) ?? { kind: 'unsure' }

  /** The follower of a chain; null if this process does not follow it. */
  readonly followerOf = (chain: string): ChainFollower | null => this.#byChain.get(chain) ?? null

  /** Whether this process follows the chain. */
  follows(chain: string): boolean {
    return this.#byChain.has(chain)
  }

  /** Adds the current scores of the providers to the health of a chain. */
  readonly withScores = <T extends ChainHealth>(health: T): T => {
    const providers = this.#byChain.get(health.chain)?.health().providers
    return providers === undefined ? health : { ...health, providers }
  }

  /** Sets the dependencies. It follows no chain yet. */
  open(parts: FollowerParts): void {
    this.#parts = parts
  }

  /** Follows a chain. The watcher must be started before, else the first blocks miss payments. */
  start(name: string): void {
    const chain = this.#parts?.chains.find((one) => one.name === name)
    if (this.#parts === null || chain === undefined || this.#byChain.has(name)) return
    const { adapters, watcher, index, ...parts } = this.#parts
    const { follow } = adapterOf(chain, adapters)
    const openTokens = new Set(index.tokens(name))
    const tokens = new Set(
      [...openTokens, ...chain.tokens.map(({ address }) => address)].map(lower),
    )
    const lacksToken = (): boolean =>
      [...index.tokens(name)].some((token) => !tokens.has(lower(token)))
    const prepare = async (): Promise<void> => {
      await watcher.prepare(name)
      if (!lacksToken()) return
      void this.#replace(name, follower)
      throw new Failure('chain_unavailable', 'An open payment accepts a token that is not watched.')
    }
    const sink = sinkWith(watcher, prepare)
    const watch = watcher.watchSet(name)
    const follower = follow(chain, { ...parts, openTokens, sink, watch })
    this.#byChain.set(name, follower)
    follower.start()
  }

  /**
   * Replaces a follower by one that also watches the tokens of payments which other processes opened.
   * The new one continues at the last stored block. Never rejects.
   */
  async #replace(name: string, follower: ChainFollower): Promise<void> {
    if (this.#byChain.get(name) !== follower) return
    this.#parts?.log.info({ chain: name }, 'restarted the follower to watch a new token')
    await follower.close()
    // Meanwhile this process may have stopped following the chain.
    if (this.#byChain.get(name) !== follower) return
    this.#byChain.delete(name)
    this.start(name)
  }

  /** Stops following a chain. Waits for a step that is being stored; emits nothing afterwards. */
  async stop(name: string): Promise<void> {
    const follower = this.#byChain.get(name)
    this.#byChain.delete(name)
    await follower?.close()
  }

  /** Stops all followers. Emits nothing afterwards. */
  async close(): Promise<void> {
    await Promise.all([...this.#byChain.keys()].map((name) => this.stop(name)))
  }
}

const lower = (token: string): string => token.toLowerCase()

/** The watcher as a sink, with another `prepare`. */
const sinkWith = (watcher: Watcher, prepare: () => Promise<void>): ChainSink => ({
  prepare,
  step: (chain, step) => watcher.step(chain, step),
  pending: (chain, source, sightings) => watcher.pending(chain, source, sightings),
  corroborated: (chain, source, inclusions) => watcher.corroborated(chain, source, inclusions),
  denied: (chain, source, inclusions) => watcher.denied(chain, source, inclusions),
  health: (health) => watcher.health(health),
})
