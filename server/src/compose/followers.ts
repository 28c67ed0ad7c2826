import type { ChainConfig } from '../chain-config.ts'
import type { Watcher } from '../engine/watch/watcher.ts'
import type { ChainFollower, ChainHealth, LookUp } from '../ports/chain.ts'
import { adapterOf, type ChainAdapter, type FollowParts } from './kinds.ts'

export interface FollowerParts extends Omit<FollowParts, 'watch' | 'sink'> {
  readonly watcher: Watcher
  readonly chains: readonly ChainConfig[]
  readonly adapters: readonly ChainAdapter[]
}

/**
 * One follower for each chain that this process follows. There before they start: the engine asks for
 * transactions through it.
 */
export class Followers {
  readonly #byChain = new Map<string, ChainFollower>()
  #parts: FollowerParts | null = null

  /** What the providers of a chain know of a transaction. Never rejects; of a chain not followed, nobody can say. */
  readonly lookUp = async (chain: string, txHash: string): Promise<LookUp> =>
    (await this.#byChain.get(chain)?.lookUp(txHash)) ?? { kind: 'unsure' }

  /** The follower of a chain; null where this process does not follow it. */
  readonly followerOf = (chain: string): ChainFollower | null => this.#byChain.get(chain) ?? null

  /** Whether this process follows the chain. */
  follows(chain: string): boolean {
    return this.#byChain.has(chain)
  }

  /** What the engine holds of a chain, with the scores of its providers as they are now. */
  readonly withScores = <T extends ChainHealth>(health: T): T => {
    const providers = this.#byChain.get(health.chain)?.health().providers
    return providers === undefined ? health : { ...health, providers }
  }

  /** Nothing is followed yet. */
  open(parts: FollowerParts): void {
    this.#parts = parts
  }

  /** The watcher is started before: what it does not look for is not seen in the first blocks. */
  start(name: string): void {
    const chain = this.#parts?.chains.find((one) => one.name === name)
    if (this.#parts === null || chain === undefined || this.#byChain.has(name)) return
    const { adapters, watcher, ...parts } = this.#parts
    const { follow } = adapterOf(chain, adapters)
    const follower = follow(chain, { ...parts, sink: watcher, watch: watcher.watchSet(name) })
    this.#byChain.set(name, follower)
    follower.start()
  }

  /** A step being stored is waited for; nothing is told afterwards. */
  async stop(name: string): Promise<void> {
    const follower = this.#byChain.get(name)
    this.#byChain.delete(name)
    await follower?.close()
  }

  /** Nothing is told afterwards. */
  async close(): Promise<void> {
    await Promise.all([...this.#byChain.keys()].map((name) => this.stop(name)))
  }
}
