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
  /** Reads the rules of these versions when another process has kept them since. Left out: none does. */
  readonly learnPolicies?: (versions: Iterable<string>) => Promise<void>
  /** The chains followed here. Every address is watched on all chains of its mode. */
  readonly chains: readonly FollowedChain[]
  /** What the providers of a chain know of a transaction: `ChainFollower.lookUp`. Never rejects. */
  readonly lookUp: LookUpOn
  readonly assets: AssetBook
  readonly kinds: KindBook
  /** The child address of an extended public key, in lower case. */
  readonly deriveAddress: (xpub: string, index: number, chain: string) => string
  /** Told of every commit before its command is answered. A hint for readers: it may not throw. */
  readonly announce: (events: readonly StoredEvent[]) => void
  /** Whether other processes may work on the same database: then deadlines wait for a lease. */
  readonly shared?: boolean
  /** Payments that one part of a step holds. Left out: as many as are good. */
  readonly stepPartSize?: number
  /** Told when a step was refused because another process follows the chain. */
  readonly onLeaseLost?: () => void
}

/** Everything that decides: commands, chains and time in, committed events out. */
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
  /** Under which lease time passes here; null while another process has it, or while we are alone. */
  #fence: Fence | null = null
  #keepsTime: boolean
  /** Of subjects of every kind. */
  readonly #all: Writer

  constructor(options: EngineOptions) {
    const { chains, policy, announce, shared = false } = options
    this.#shared = shared
    this.#keepsTime = !shared
    const index = new WatchIndex(chains, policy)
    this.index = index
    const onFault = (paymentId: string, error: unknown): void => {
      options.metrics.setAside()
      options.log.error(
        { paymentId, error },
        'a fault kept a payment from being judged: it is set aside',
      )
    }
    const unreadable = reportUnreadable(options.log, options.metrics)
    this.#all = new Writer({ ...options, unreadable })
    this.writer = this.#all.of(paymentKind)
    this.news = new News({ ...options, all: this.#all, writer: this.writer, index })
    this.watcher = new Watcher({
      ...{ ...options, writer: this.writer, index, news: this.news, onFault, unreadable },
      onAdvance: (chain) => this.#deadlines.advanced(chain),
    })
    const parts = { ...options, writer: this.writer, index, watcher: this.watcher, onFault }
    this.#claims = new Claims({ ...parts, isMine: () => this.#keepsTime })
    this.payments = new Payments({
      ...{ ...parts, claims: this.#claims, unreadable },
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
    // Last, so that whoever is told finds everything else up to date.
    this.#all.onCommit((events) => {
      if (events.length > 0) announce(events)
    })
  }

  /** Reads what is open from the store. Followers and requests come after it has resolved. */
  async start(): Promise<void> {
    await this.watcher.start()
    this.#claims.start()
    this.#answerSweep.start()
    if (!this.#shared) this.#deadlines.start()
  }

  /** From now on this process lets time pass for payments, and looks for claims, under a lease. */
  keepTime(fence: Fence): void {
    this.#fence = fence
    this.#keepsTime = true
    this.#deadlines.start()
  }

  /** From now on another process does; what is still under way here is refused. */
  restTime(): Promise<void> {
    this.#keepsTime = false
    return this.#deadlines.rest()
  }

  /** Answers what was taken, then stops. Followers are closed before. */
  async close(): Promise<void> {
    await Promise.all([
      ...[this.#claims.close(), this.#deadlines.close(), this.#answerSweep.close()],
    ])
    await this.#all.close()
    this.watcher.close()
    this.news.close()
  }
}
