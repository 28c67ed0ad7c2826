import type { ChainConfig } from '../chain-config.ts'
import type { Watcher } from '../engine/watcher.ts'
import type { ChainFollower, ChainHealth, LookUp } from '../ports.ts'
import { adapterOf, type ChainAdapter, type FollowParts } from './kinds.ts'

export interface FollowerParts extends Omit<FollowParts, 'watch' | 'sink'> {
  readonly adapters: readonly ChainAdapter[]
}

/** One follower for each chain. There before they start: the engine asks for transactions through it. */
export class Followers {
  readonly #byChain = new Map<string, ChainFollower>()

  /** What the providers of a chain know of a transaction. Never rejects; of a chain not followed, nobody can say. */
  readonly lookUp = async (chain: string, txHash: string): Promise<LookUp> =>
    (await this.#byChain.get(chain)?.lookUp(txHash)) ?? { kind: 'unsure' }

  /** What the engine holds of a chain, with the scores of its providers as they are now. */
  readonly withScores = <T extends ChainHealth>(health: T): T => {
    const providers = this.#byChain.get(health.chain)?.health().providers
    return providers === undefined ? health : { ...health, providers }
  }

  /** The watcher is started before: what it does not look for is not seen in the first blocks. */
  start(
    chains: readonly ChainConfig[],
    watcher: Watcher,
    { adapters, ...parts }: FollowerParts,
  ): void {
    for (const chain of chains) {
      const { name } = chain
      const { follow } = adapterOf(chain, adapters)
      const follower = follow(chain, { ...parts, sink: watcher, watch: watcher.watchSet(name) })
      this.#byChain.set(name, follower)
      follower.start()
    }
  }

  /** Nothing is told afterwards. */
  async close(): Promise<void> {
    await Promise.all([...this.#byChain.values()].map((follower) => follower.close()))
  }
}
