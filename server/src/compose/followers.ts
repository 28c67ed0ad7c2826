import { Failure } from '@settlewire/core/errors'
import type { ChainConfig } from '../chain-config.ts'
import type { WatchIndex } from '../engine/watch/watch-index.ts'
import type { Watcher } from '../engine/watch/watcher.ts'
import type { ChainFollower, ChainHealth, ChainSink, LookUp } from '../ports/chain.ts'
import { adapterOf, type ChainAdapter, type FollowParts } from './kinds.ts'

export interface FollowerParts extends Omit<FollowParts, 'watch' | 'sink' | 'openTokens'> {
  readonly watcher: Watcher
  /** What open payments are paid in, as it grows. */
  readonly index: Pick<WatchIndex, 'tokens'>
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
    const { adapters, watcher, index, ...parts } = this.#parts
    const { follow } = adapterOf(chain, adapters)
    const openTokens = new Set(index.tokens(name))
    const tokens = new Set(
      [...openTokens, ...chain.tokens.map(({ address }) => address)].map(lower),
    )
    const lacks = (): boolean => [...index.tokens(name)].some((token) => !tokens.has(lower(token)))
    const prepare = async (): Promise<void> => {
      await watcher.prepare(name)
      if (!lacks()) return
      void this.#renew(name, follower)
      throw new Failure('chain_unavailable', 'A payment is open in a token that is not looked for.')
    }
    const sink = preparedBy(watcher, prepare)
    const watch = watcher.watchSet(name)
    const follower = follow(chain, { ...parts, openTokens, sink, watch })
    this.#byChain.set(name, follower)
    follower.start()
  }

  /**
   * Another process has opened a payment in a token that this follower does not look for: a new follower
   * does, and goes on from the last stored block. Never rejects.
   */
  async #renew(name: string, follower: ChainFollower): Promise<void> {
    if (this.#byChain.get(name) !== follower) return
    this.#parts?.log.info({ chain: name }, 'a new token is looked for: the chain is taken up again')
    await follower.close()
    // Meanwhile the chain may have been given up.
    if (this.#byChain.get(name) !== follower) return
    this.#byChain.delete(name)
    this.start(name)
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

const lower = (token: string): string => token.toLowerCase()

/** The watcher, asked in another way whether a step may be read. */
const preparedBy = (watcher: Watcher, prepare: () => Promise<void>): ChainSink => ({
  prepare,
  step: (chain, step) => watcher.step(chain, step),
  pending: (chain, source, sightings) => watcher.pending(chain, source, sightings),
  corroborated: (chain, source, inclusions) => watcher.corroborated(chain, source, inclusions),
  denied: (chain, source, inclusions) => watcher.denied(chain, source, inclusions),
  health: (health) => watcher.health(health),
})
