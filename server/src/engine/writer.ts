import { Failure, failedWith } from '@settlewire/core/errors'
import type { Payment } from '@settlewire/core/payment'
import type { Clock, EventStore, Log, Metrics, Stop, StoredEvent } from '../ports.ts'
import { Draft, type Effect, type Loaded } from './draft.ts'
import { PaymentCache } from './payment-cache.ts'

/** A change somebody wants. */
export interface Command<T> {
  /** The payments it reads or changes; loaded before it decides. */
  readonly ids: readonly string[]
  /** Pure over what was loaded, because it runs again when another process was faster. */
  readonly decide: (payments: Loaded) => Effect<T>
}

/** What became true, in the order of commit. */
export interface Committed {
  readonly payments: readonly Payment[]
  readonly events: readonly StoredEvent[]
}

export interface WriterOptions {
  readonly store: Pick<EventStore, 'append' | 'load'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly metrics: Pick<Metrics, 'appended' | 'decided'>
  readonly limits?: Partial<Limits>
}

interface Limits {
  /** Commands that may wait; one more is refused with `overloaded`. */
  readonly queuedMax: number
  /** Commands and payments of one transaction. One command is never split. */
  readonly commandsMax: number
  readonly paymentsMax: number
  /** Times a batch is decided when other processes keep moving its payments. */
  readonly triesMax: number
  readonly cachedMax: number
}

const defaults: Limits = {
  queuedMax: 10_000,
  commandsMax: 256,
  paymentsMax: 2_000,
  triesMax: 5,
  cachedMax: 10_000,
}

interface Job {
  readonly ids: readonly string[]
  /** Decides, and returns how to answer once the effect is committed. */
  readonly decide: (payments: Loaded) => { effect: Effect<unknown>; resolve: () => void }
  readonly reject: (error: unknown) => void
}

/**
 * The one writer of this process: every change of a payment goes through here, in the order of
 * `submit`. While one batch commits, the next one gathers, so that a burst costs few transactions
 * and a single command waits for nobody. What is resolved is committed; what is rejected changed
 * nothing - but for `store_unavailable`, where a lost connection can hide a commit that happened.
 */
export class Writer {
  readonly #options: WriterOptions
  readonly #limits: Limits
  readonly #cache: PaymentCache
  readonly #listeners = new Set<(committed: Committed) => void>()
  readonly #doubters = new Set<(ids: readonly string[]) => void>()
  #queue: Job[] = []
  #running: Promise<void> | null = null
  #closed = false

  constructor(options: WriterOptions) {
    this.#options = options
    this.#limits = { ...defaults, ...options.limits }
    this.#cache = new PaymentCache(this.#limits.cachedMax)
  }

  /** Resolves with the answer once its effect is committed and told to the listeners. */
  submit<T>(command: Command<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Failure('shutting_down'))
    if (this.#queue.length >= this.#limits.queuedMax) {
      return Promise.reject(new Failure('overloaded', undefined, { retryAfterSeconds: 1 }))
    }
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({
        ids: command.ids,
        decide: (payments) => {
          const effect = command.decide(payments)
          return { effect, resolve: () => resolve(effect.answer) }
        },
        reject,
      })
      this.#running ??= this.#run()
    })
  }

  /** Told of every commit, in order, before the commands are answered. */
  onCommit(listener: (committed: Committed) => void): Stop {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /**
   * Told of payments whose last change was rejected with `store_unavailable` and may have been
   * committed after all: whoever keeps something of them reads them again.
   */
  onDoubt(listener: (ids: readonly string[]) => void): Stop {
    this.#doubters.add(listener)
    return () => {
      this.#doubters.delete(listener)
    }
  }

  /**
   * Loads payments that another process has moved, and answers with how they stand: not older than
   * when this was called, nor than what was told of them since. Unknown ids are left out.
   */
  async reload(ids: readonly string[]): Promise<readonly Payment[]> {
    for (const id of ids) this.#cache.drop(id)
    const loaded = await this.submit({
      ids,
      decide: (payments) => ({
        decisions: [],
        answer: ids.flatMap((id) => payments.get(id) ?? []),
      }),
    })
    // What a later command of the same batch has made of it was told before this was answered.
    return loaded.map((payment) => this.#cache.get(payment.id) ?? payment)
  }

  /** Takes nothing more; resolves when what was taken is answered. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // Commands of the same turn of the event loop share the first batch.
    await Promise.resolve()
    while (this.#queue.length > 0) await this.#commit(this.#take(), this.#limits.triesMax)
    this.#running = null
  }

  #take(): readonly Job[] {
    const { commandsMax, paymentsMax } = this.#limits
    let count = 0
    let payments = 0
    for (const job of this.#queue) {
      payments += job.ids.length
      if (count > 0 && (count >= commandsMax || payments > paymentsMax)) break
      count++
    }
    return this.#queue.splice(0, count)
  }

  /** Never rejects: every job is answered. */
  async #commit(jobs: readonly Job[], tries: number): Promise<void> {
    const { store, clock } = this.#options
    const startedAt = clock.now()
    let draft: Draft
    let answers: (() => void)[]
    let events: readonly StoredEvent[]
    try {
      draft = new Draft(await this.#load(jobs))
      answers = jobs.map((job) => decideInto(draft, job))
      events = draft.isEmpty ? [] : await store.append(draft.batch())
    } catch (error) {
      return this.#recover(jobs, tries, error)
    }
    this.#publish({ payments: draft.changed(), events }, clock.now() - startedAt)
    for (const answer of answers) answer()
  }

  async #load(jobs: readonly Job[]): Promise<ReadonlyMap<string, Payment>> {
    const loaded = new Map<string, Payment>()
    const missing: string[] = []
    for (const id of new Set(jobs.flatMap((job) => job.ids))) {
      const payment = this.#cache.get(id)
      if (payment === null) missing.push(id)
      else loaded.set(id, payment)
    }
    if (missing.length === 0) return loaded
    for (const payment of await this.#options.store.load(missing)) {
      loaded.set(payment.id, payment)
      this.#cache.set(payment)
    }
    return loaded
  }

  /** Nothing was stored. Whose fault it was is found by halving: neighbours must not suffer for it. */
  async #recover(jobs: readonly Job[], tries: number, error: unknown): Promise<void> {
    const ids = [...new Set(jobs.flatMap((job) => job.ids))]
    for (const id of ids) this.#cache.drop(id)
    if (failedWith(error, 'store_unavailable')) {
      this.#tell(this.#doubters, ids)
      for (const job of jobs) job.reject(error)
      return
    }
    if (failedWith(error, 'sequence_conflict') && tries > 1) return this.#commit(jobs, tries - 1)
    if (jobs.length <= 1) {
      for (const job of jobs) job.reject(error)
      return
    }
    const middle = jobs.length >> 1
    await this.#commit(jobs.slice(0, middle), this.#limits.triesMax)
    await this.#commit(jobs.slice(middle), this.#limits.triesMax)
  }

  #publish(committed: Committed, tookMs: number): void {
    const { metrics } = this.#options
    const { payments, events } = committed
    for (const payment of payments) this.#cache.set(payment)
    if (events.length > 0) metrics.appended(events.length, payments.length, tookMs)
    for (const { type } of events) metrics.decided(type)
    this.#tell(this.#listeners, committed)
  }

  /** What happened is answered as it happened; a listener that fails is a bug of its own. */
  #tell<News>(listeners: ReadonlySet<(news: News) => void>, news: News): void {
    for (const listener of listeners) {
      try {
        listener(news)
      } catch (error) {
        this.#options.log.error({ error }, 'a listener of the writer failed')
      }
    }
  }
}

/**
 * How the job is to be answered after the commit. Its own refusal waits for the commit too: it may
 * rest on what an earlier command of the batch decided.
 */
function decideInto(draft: Draft, job: Job): () => void {
  try {
    const { effect, resolve } = job.decide(draft)
    draft.add(effect)
    return resolve
  } catch (error) {
    return () => job.reject(error)
  }
}
