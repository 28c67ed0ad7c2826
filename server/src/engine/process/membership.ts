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
  /** Resolves when nothing of it is told any more. */
  stop(chain: string): Promise<void>
  /** With the scores of its providers. */
  withScores<Sight extends ChainHealth>(sight: Sight): Sight
}

export interface MembershipOptions {
  readonly nodes: Leases & Bulletin
  readonly engine: Pick<Engine, 'news' | 'watcher' | 'keepTime' | 'restTime'>
  /** Where changes of sight are announced and heard. */
  readonly backplane: Pick<Backplane, 'announce' | 'subscribe'>
  readonly followers: Followed
  readonly lookUps: Pick<LookUps, 'answer'>
  readonly rescanning: Pick<Rescanning, 'look'>
  readonly chains: readonly string[]
  /** Where this process runs: there is no other one at the same place. */
  readonly place: string
  readonly clock: Clock
  readonly log: Log
}

/** What others committed is read this often, beside before every step. */
const newsEveryMs = 500
const questionsEveryMs = 250
const rescansEveryMs = 1_000
/** An end of a watch makes no event; late it costs memory alone. */
const releaseEveryMs = 5 * 60_000
const sightEveryMs = 1_000

/**
 * This process among the others on one database: which chains it follows and whether it lets time
 * pass, what it tells of its chains, and what it hears of those of others. All of it goes through the
 * store, so that it makes no difference where a process runs.
 */
export class Membership {
  readonly #options: MembershipOptions
  readonly #keeper: LeaseKeeper
  readonly #sights: SightExchange
  readonly #repeats: readonly Repeat[]
  /** The chains that are followed here, with the lease of each. */
  readonly #leads = new Map<string, Fence>()
  /** Of each chain, and of time, what is done last: one thing after the other. */
  readonly #turns = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()

  constructor(options: MembershipOptions) {
    this.#options = options
    const { nodes, clock, log, chains, place } = options
    this.#keeper = new LeaseKeeper({
      ...{ leases: nodes, clock, log, place },
      names: [deadlinesLease, ...chains.map(leaseOf)],
      won: (fence) => this.#won(fence),
      lost: (lease) => this.#lost(lease),
    })
    const { engine, lookUps, rescanning, followers } = options
    this.#sights = new SightExchange({
      ...{ bulletin: nodes, backplane: options.backplane, watcher: engine.watcher, chains, log },
      leads: (chain) => this.#leads.get(chain) ?? null,
      withScores: (sight) => followers.withScores(sight),
    })
    const every = (everyMs: number, what: string, work: () => Promise<void>): Repeat =>
      new Repeat({ clock, log, everyMs, what }, work)
    this.#repeats = [
      every(newsEveryMs, 'what others committed was not read', () => engine.news.read()),
      every(releaseEveryMs, 'what is watched no more was not read', () => engine.news.release()),
      every(sightEveryMs, 'the sight of chains was not exchanged', () => this.#sights.exchange()),
      every(questionsEveryMs, 'questions of others were not read', () =>
        lookUps.answer([...this.#leads.keys()]),
      ),
      every(rescansEveryMs, 'requests to read blocks again were not read', () =>
        rescanning.look([...this.#leads.keys()]),
      ),
    ]
  }

  /** Resolves when this process does what is free, and knows what others say. Never rejects. */
  async start(): Promise<void> {
    for (const chain of this.#options.chains) this.#options.engine.watcher.stand(chain)
    await this.#keeper.start()
    await Promise.all(this.#turns.values())
    // Where nothing was heard a chain counts as not followed, which is asked again every second.
    await this.#sights.exchange().catch(() => undefined)
    this.#sights.start()
    for (const repeat of this.#repeats) repeat.start()
  }

  /** A write was refused because of a lease: what is held is looked at now. */
  look(): void {
    void this.#keeper.look()
  }

  /** Takes nothing more and says nothing more. What is followed here goes on until it is stopped. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#sights.close()
    await Promise.all([this.#keeper.close(), ...this.#repeats.map((repeat) => repeat.close())])
    await Promise.all(this.#turns.values())
  }

  /** When nothing is followed and written any more: others go on at once. */
  async giveBack(): Promise<void> {
    await this.#keeper.giveBack().catch((error: unknown) => {
      this.#options.log.warn({ error }, 'leases were not given back: they end by themselves')
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
          log.warn({ chain, error }, 'a chain could not be taken up; tried again')
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
    engine.watcher.stand(chain)
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
