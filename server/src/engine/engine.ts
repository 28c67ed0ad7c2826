import type { PolicyOf } from '@settlewire/core/payment/fold'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { Policy } from '@settlewire/core/payment/policy'
import type { Directory } from '../ports/access.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore, StoredEvent } from '../ports/history.ts'
import type { Log } from '../ports/log.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { Feeds, Fence } from '../ports/processes.ts'
import type { AssetBook } from './payment/asset-book.ts'
import type { LookUpOn } from './payment/claim-search.ts'
import { Claims } from './payment/claims.ts'
import type { KindBook } from './payment/kind-book.ts'
import { Payments } from './payment/payments.ts'
import { AnswerSweep } from './time/answer-sweep.ts'
import { Deadlines } from './time/deadlines.ts'
import { News } from './watch/news.ts'
import { type FollowedChain, WatchIndex } from './watch/watch-index.ts'
import { Watcher } from './watch/watcher.ts'
import { fenced } from './write/fenced-writer.ts'
import { reportUnreadable } from './write/unreadable.ts'
import { type PaymentWriter, Writer } from './write/writer.ts'

export interface EngineOptions {
  readonly store: EventStore & Feeds
  readonly directory: Directory
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly policy: Policy
  /** The policy of each version that ever decided. */
  readonly policyOf: PolicyOf
  /**
   * Loads the policies of these versions if another process stored them since. Left out: none does.
   */
  readonly learnPolicies?: (versions: Iterable<string>) => Promise<void>
  /** The chains followed here. Every address is watched on all chains of its mode. */
  readonly chains: readonly FollowedChain[]
  /** Asks the providers of a chain about a transaction: `ChainFollower.lookUp`. Never rejects. */
  readonly lookUp: LookUpOn
  readonly assets: AssetBook
  readonly kinds: KindBook
  /**
   * The address at an index of an extended public key, in the form that the chain's kind stores.
   */
  readonly deriveAddress: (xpub: string, index: number, chain: string) => string
  /** Called with the events of every commit before its command is answered. Must not throw. */
  readonly announce: (events: readonly StoredEvent[]) => void
  /** Whether other processes may use the same database: then deadlines wait for a lease. */
  readonly shared?: boolean
  /** How many payments one part of a step holds. Left out: the default of `storeStep`. */
  readonly stepPartSize?: number
  /** Called when a step was refused because another process follows the chain. */
  readonly onLeaseLost?: () => void
}

/** All decisions: takes commands, chain steps and time, and commits events. */
export class Engine {
  readonly writer: PaymentWriter
  readonly payments: Payments
  readonly watcher: Watcher
  readonly news: News
  /** What this process looks for on its chains. */
  readonly index: WatchIndex
  readonly #claims: Claims
  readonly #deadlines: Deadlines
  readonly #answerSweep: AnswerSweep
  readonly #shared: boolean
  /**
   * The last lease for deadlines and claims that this process had; null if it had none yet, or is
   * alone. After another process took it, it remains, so that writes under way are refused.
   */
  #fence: Fence | null = null
  #keepsTime: boolean
  /** The writer for subjects of every kind. */
  readonly #all: Writer

  constructor(options: EngineOptions) {
    const { chains, policy, announce, shared = false } = options
    this.#shared = shared
    this.#keepsTime = !shared
    const index = new WatchIndex(chains, policy)
    this.index = index
    const onFault = (paymentId: string, error: unknown): void => {
      options.metrics.quarantined()
      options.log.error(
        { paymentId, error },
        'a payment could not be judged because of a bug: it is quarantined',
      )
    }
    const unreadable = reportUnreadable(options.log, options.metrics)
    this.#all = new Writer({ ...options, unreadable })
    this.writer = this.#all.of(paymentKind)
    this.news = new News({ ...options, all: this.#all, writer: this.writer, index })
    this.watcher = new Watcher({
      ...options,
      writer: this.writer,
      index,
      news: this.news,
      onFault,
      unreadable,
      onAdvance: (chain) => this.#deadlines.advanced(chain),
    })
    const parts = { ...options, writer: this.writer, index, watcher: this.watcher, onFault }
    this.#claims = new Claims({ ...parts, isMine: () => this.#keepsTime })
    this.payments = new Payments({
      ...parts,
      claims: this.#claims,
      unreadable,
      headOf: (chain) => this.watcher.headOf(chain),
    })
    this.#deadlines = new Deadlines({
      ...parts,
      writer: fenced(this.writer, () => this.#fence),
      fence: () => this.#fence,
      scannedThrough: () => this.watcher.scannedThrough(),
    })
    this.#answerSweep = new AnswerSweep(options)
    this.news.onNews(({ payments }) => this.#deadlines.changed(payments))
    // Last, so that every other part is up to date when an event is announced.
    this.#all.onCommit((events) => {
      if (events.length > 0) announce(events)
    })
  }

  /** Loads the open payments from the store. Start followers and requests after it has resolved. */
  async start(): Promise<void> {
    await this.watcher.start()
    this.#claims.start()
    this.#answerSweep.start()
    if (!this.#shared) this.#deadlines.start()
  }

  /** This process handles deadlines and looks up claims from now on, under a lease. */
  keepTime(fence: Fence): void {
    this.#fence = fence
    this.#keepsTime = true
    this.#deadlines.start()
  }

  /** Another process handles deadlines from now on; unfinished writes of ours will be refused. */
  restTime(): Promise<void> {
    this.#keepsTime = false
    return this.#deadlines.rest()
  }

  /** Answers accepted commands, then stops. Close the followers before. */
  async close(): Promise<void> {
    await Promise.all([this.#claims.close(), this.#deadlines.close(), this.#answerSweep.close()])
    await this.#all.close()
    this.watcher.close()
    this.news.close()
  }
}
