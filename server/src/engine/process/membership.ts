import type { ChainHealth } from '../../ports/chain.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Bulletin, Fence, Leases } from '../../ports/processes.ts'
import type { Backplane } from '../../ports/topic.ts'
import type { Engine } from '../engine.ts'
import { Repeat } from '../time/repeat.ts'
import type { LookUps } from '../watch/look-ups.ts'
import type { Rescanning } from '../watch/rescanning.ts'
import { SightExchange } from '../watch/sight-exchange.ts'
import { deadlinesLease, LeaseKeeper, leaseOf } from './lease-keeper.ts'

/** The followers of this process. */
export interface Followed {
  start(chain: string): void
  /** Resolves when the follower delivers nothing more. */
  stop(chain: string): Promise<void>
  /** Adds the scores of the chain's providers. */
  withScores<Sight extends ChainHealth>(sight: Sight): Sight
}

export interface MembershipOptions {
  readonly nodes: Leases & Bulletin
  readonly engine: Pick<Engine, 'news' | 'watcher' | 'keepTime' | 'restTime'>
  /** Where changes of sight are announced and received. */
  readonly backplane: Pick<Backplane, 'announce' | 'subscribe'>
  readonly followers: Followed
  readonly lookUps: Pick<LookUps, 'answer'>
  readonly rescanning: Pick<Rescanning, 'look'>
  readonly chains: readonly string[]
  /** Where this process runs: one process at a time per place. */
  readonly place: string
  readonly clock: Clock
  readonly log: Log
}

/** How often commits of other processes are read, beside the read before every step. */
const newsEveryMs = 500
const questionsEveryMs = 250
const rescansEveryMs = 1_000
/** The end of a watch emits no event; reading it late costs only memory. */
const releaseEveryMs = 5 * 60_000
const sightEveryMs = 1_000

/**
 * This process among others on one database: which chains it follows, whether it handles deadlines,
 * what it publishes about its chains, and what it reads about the others. Everything goes through
 * the store, so it does not matter where a process runs.
 */
export class Membership {
  readonly #options: MembershipOptions
  readonly #keeper: LeaseKeeper
  readonly #sights: SightExchange
  readonly #repeats: readonly Repeat[]
  /** The chains followed here, with the lease of each. */
  readonly #leads = new Map<string, Fence>()
  /** The last task of each chain, and of the deadlines: tasks run one after the other. */
  readonly #turns = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()

  constructor(options: MembershipOptions) {
    this.#options = options
    const { nodes, clock, log, chains, place } = options
    this.#keeper = new LeaseKeeper({
      leases: nodes,
      clock,
      log,
      place,
      names: [deadlinesLease, ...chains.map(leaseOf)],
      won: (fence) => this.#won(fence),
      lost: (lease) => this.#lost(lease),
    })
    const { engine, lookUps, rescanning, followers } = options
    this.#sights = new SightExchange({
      bulletin: nodes,
      backplane: options.backplane,
      watcher: engine.watcher,
      chains,
      log,
      leads: (chain) => this.#leads.get(chain) ?? null,
      withScores: (sight) => followers.withScores(sight),
    })
    const every = (everyMs: number, what: string, work: () => Promise<void>): Repeat =>
      new Repeat({ clock, log, everyMs, what }, work)
    this.#repeats = [
      every(newsEveryMs, 'could not read commits of other processes', () => engine.news.read()),
      every(releaseEveryMs, 'could not read which payments are no longer watched', () =>
        engine.news.release(),
      ),
      every(sightEveryMs, 'could not exchange the sight of chains', () => this.#sights.exchange()),
      every(questionsEveryMs, 'could not read look-up requests of other processes', () =>
        lookUps.answer([...this.#leads.keys()]),
      ),
      every(rescansEveryMs, 'could not read rescan requests', () =>
        rescanning.look([...this.#leads.keys()]),
      ),
    ]
  }

  /** Resolves when every free lease is taken and the others' sights are read. Never rejects. */
  async start(): Promise<void> {
    for (const chain of this.#options.chains) this.#options.engine.watcher.standBy(chain)
    await this.#keeper.start()
    await Promise.all(this.#turns.values())
    // A chain without a published sight counts as not followed, which is checked again every
    // second.
    await this.#sights.exchange().catch(() => undefined)
    this.#sights.start()
    for (const repeat of this.#repeats) repeat.start()
  }

  /** Checks the leases now, because a write was refused. */
  look(): void {
    void this.#keeper.look()
  }

  /**
   * Takes no more leases and publishes nothing more. Chains are followed until they are stopped.
   */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#sights.close()
    await Promise.all([this.#keeper.close(), ...this.#repeats.map((repeat) => repeat.close())])
    await Promise.all(this.#turns.values())
  }

  /**
   * Returns the leases, so that other processes continue at once. Call it when all work has ended.
   */
  async giveBack(): Promise<void> {
    await this.#keeper.giveBack().catch((error: unknown) => {
      this.#options.log.warn({ error }, 'leases could not be returned; they will expire')
    })
  }

  #won(fence: Fence): void {
    const { engine, followers, log } = this.#options
    if (fence.lease === deadlinesLease) {
      this.#inTurn(deadlinesLease, async () => engine.keepTime(fence))
      return
    }
    const chain = this.#chainOf(fence.lease)
    this.#leads.set(chain, fence)
    this.#inTurn(chain, async () => {
      while (this.#leads.get(chain) === fence && !this.#closing.signal.aborted) {
        try {
          await engine.watcher.lead(chain, fence)
          followers.start(chain)
          return
        } catch (error) {
          log.warn({ chain, error }, 'could not start to follow a chain; trying again')
          await this.#options.clock.sleep(sightEveryMs, this.#closing.signal)
        }
      }
    })
  }

  #lost(lease: string): void {
    const { engine, followers } = this.#options
    if (lease === deadlinesLease) {
      this.#inTurn(deadlinesLease, () => engine.restTime())
      return
    }
    const chain = this.#chainOf(lease)
    this.#leads.delete(chain)
    engine.watcher.standBy(chain)
    this.#inTurn(chain, () => followers.stop(chain))
  }

  /** Never rejects. */
  #inTurn(name: string, work: () => Promise<void>): void {
    const before = this.#turns.get(name) ?? Promise.resolve()
    const done = before.then(work).catch((error: unknown) => {
      this.#options.log.error({ error }, 'a change of leases failed by a bug')
    })
    this.#turns.set(name, done)
  }

  #chainOf(lease: string): string {
    return this.#options.chains.find((chain) => leaseOf(chain) === lease) ?? ''
  }
}
