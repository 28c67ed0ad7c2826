import type { ChainHealth } from '../../ports/chain.ts'
import type { Log } from '../../ports/log.ts'
import type { Bulletin, Fence, SightRecord } from '../../ports/processes.ts'
import type { Stop } from '../../ports/stop.ts'
import type { Backplane, Hint } from '../../ports/topic.ts'
import { chainKey, chainTopic } from '../topic/chain-topic.ts'
import { publishedSightMs, sightOfText, sightText, summaryOf } from './published-sight.ts'
import type { Watcher } from './watcher.ts'

export interface SightExchangeOptions {
  readonly bulletin: Pick<Bulletin, 'publish' | 'published'>
  readonly backplane: Pick<Backplane, 'announce' | 'subscribe'>
  readonly watcher: Pick<Watcher, 'published' | 'takePublished' | 'onSight'>
  readonly chains: readonly string[]
  /** The lease under which this process follows a chain; null while another process does. */
  readonly leads: (chain: string) => Fence | null
  /** Adds the scores of the chain's providers. */
  readonly withScores: <Sight extends ChainHealth>(sight: Sight) => Sight
  readonly log: Log
}

/**
 * Publishes the sight of each chain as a topic. The process that follows a chain writes the sight
 * to a table and announces the revision when it changes. The others read it then, and once a second
 * in case a hint was lost. The table is the truth. Streams and answers show what the process's
 * watcher knows.
 */
export class SightExchange {
  readonly #options: SightExchangeOptions
  /** The last revision that this process wrote or read. */
  readonly #known = new Map<string, number>()
  readonly #stops: Stop[] = []

  constructor(options: SightExchangeOptions) {
    this.#options = options
  }

  /** From now on changes are announced and received at once. */
  start(): void {
    const { backplane, watcher, chains, leads } = this.#options
    for (const chain of chains) {
      const stop = backplane.subscribe(chainKey(chain), (hint) => this.#moved(chain, hint))
      this.#stops.push(stop)
    }
    const changed = (chain: string): void => {
      if (leads(chain) !== null) this.#soon(chain, this.#publish(chain))
    }
    this.#stops.push(watcher.onSight(changed))
  }

  close(): void {
    for (const stop of this.#stops) stop()
  }

  /** Publishes the sight of our chains, and reads the sight of all others. */
  async exchange(): Promise<void> {
    const { bulletin, chains, leads } = this.#options
    const ours = chains.filter((chain) => leads(chain) !== null)
    for (const chain of ours) await this.#publish(chain)
    if (ours.length === chains.length) return
    const records = new Map((await bulletin.published()).map((one) => [one.chain, one]))
    for (const chain of chains) this.#take(chain, records.get(chain))
  }

  async #publish(chain: string): Promise<void> {
    const { bulletin, backplane, watcher, leads, withScores } = this.#options
    const fence = leads(chain)
    if (fence === null) return
    const published = watcher.published(chain)
    const sight = withScores(published.sight)
    const update = { body: sightText({ ...published, sight }), word: summaryOf(sight) }
    const revision = await bulletin.publish(chain, update, fence)
    if (revision === null || revision <= this.#knownOf(chain)) return
    this.#known.set(chain, revision)
    backplane.announce({ topic: chainKey(chain), position: revision })
  }

  /** Ignores hints of known revisions: they are late, or our own. */
  #moved(chain: string, { position }: Hint): void {
    if (position > this.#knownOf(chain)) this.#soon(chain, this.#look(chain))
  }

  async #look(chain: string): Promise<void> {
    const topic = chainTopic(chain, this.#options.bulletin)
    for (const record of await topic.read(this.#knownOf(chain), 1)) this.#take(chain, record)
  }

  /** Ignores publications about chains followed here: they are older than our lease. */
  #take(chain: string, record: SightRecord | undefined): void {
    const { leads, watcher } = this.#options
    if (leads(chain) !== null) return
    if (record !== undefined) this.#known.set(chain, record.revision)
    const isFresh = record !== undefined && record.ageMs < publishedSightMs
    watcher.takePublished(chain, isFresh ? sightOfText(record.body) : null)
  }

  #knownOf(chain: string): number {
    return this.#known.get(chain) ?? 0
  }

  /** A failure is only logged: the next exchange does the work. */
  #soon(chain: string, work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#options.log.debug(
        { chain, error },
        'a change of sight was not exchanged at once; the next exchange will do it',
      )
    })
  }
}
