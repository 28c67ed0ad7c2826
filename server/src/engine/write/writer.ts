import { Failure, failedWith } from '@settlewire/core/errors'
import type { Subject } from '@settlewire/core/history/subject'
import type { Kind } from '@settlewire/core/history/subject-kind'
import type { Decision } from '@settlewire/core/payment/event'
import type { Payment } from '@settlewire/core/payment/payment'
import type { Clock } from '../../ports/clock.ts'
import type { Batch, EventStore, StoredEvent, Unreadable } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Metrics } from '../../ports/metrics.ts'
import type { Stop } from '../../ports/stop.ts'
import { type Job, KindWriter, type Lane, notifyAll } from './kind-writer.ts'

/** The writer of payments. */
export type PaymentWriter = KindWriter<Payment, Decision>

export interface WriterOptions {
  readonly store: Pick<EventStore, 'append' | 'load'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly metrics: Pick<Metrics, 'appended' | 'decided'>
  /** Called with a subject that is left out because its stored state cannot be read. */
  readonly unreadable?: Unreadable
  readonly limits?: Partial<WriterLimits>
}

interface WriterLimits {
  /** How many commands may wait; more are refused with `overloaded`. */
  readonly queuedMax: number
  /** How many commands and subjects one transaction may have. A command is never split. */
  readonly commandsMax: number
  readonly paymentsMax: number
  /** How many times a batch is decided when other processes keep changing its subjects. */
  readonly triesMax: number
  readonly cachedMax: number
}

const defaults: WriterLimits = {
  queuedMax: 10_000,
  commandsMax: 256,
  paymentsMax: 2_000,
  triesMax: 5,
  cachedMax: 10_000,
}

/**
 * The one writer of this process: every change of a subject of any kind goes through it, in the
 * order of `submit`. While one batch commits, the next one gathers, so a burst takes few
 * transactions and a single command does not wait. A resolved command is committed. A rejected one
 * changed nothing, except with `store_unavailable`: a lost connection can hide a commit that
 * happened.
 */
export class Writer {
  readonly #options: WriterOptions
  readonly #limits: WriterLimits
  readonly #listeners = new Set<(events: readonly StoredEvent[]) => void>()
  readonly #lanes: Lane[] = []
  #queue: Job[] = []
  #running: Promise<void> | null = null
  #closed = false

  constructor(options: WriterOptions) {
    this.#options = options
    this.#limits = { ...defaults, ...options.limits }
  }

  /** The writer for one kind. Call it once per kind, because each has its own cache. */
  of<State extends object, Decision>(kind: Kind<State, Decision>): KindWriter<State, Decision> {
    const { store, log, unreadable } = this.#options
    const { cachedMax } = this.#limits
    const lane = new KindWriter(kind, {
      store,
      log,
      cachedMax,
      queue: (job) => this.#enqueue(job),
      ...(unreadable !== undefined && { unreadable }),
    })
    this.#lanes.push(lane)
    return lane
  }

  /** Drops the cached states of subjects that another process has changed. */
  forget(subjects: readonly Subject[]): void {
    for (const lane of this.#lanes) {
      lane.drop(subjects.filter(({ kind }) => kind === lane.kind).map(({ id }) => id))
    }
  }

  #enqueue(job: Job): void {
    if (this.#closed) throw new Failure('shutting_down')
    if (this.#queue.length >= this.#limits.queuedMax) {
      throw new Failure('overloaded', undefined, { retryAfterSeconds: 1 })
    }
    this.#queue.push(job)
    this.#running ??= this.#run()
  }

  /** Calls the listener with each commit's events, in order, after the listeners of their kinds. */
  onCommit(listener: (events: readonly StoredEvent[]) => void): Stop {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Takes no more commands; resolves when all accepted ones are answered. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // Commands of the same event-loop turn share the first batch.
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
    const lanes = byLane(jobs)
    let answers: (() => void)[]
    let events: readonly StoredEvent[]
    try {
      for (const [lane, own] of lanes) await lane.begin(own.flatMap(({ ids }) => ids))
      answers = jobs.map(decided)
      const batch = together([...lanes.keys()])
      events = isEmpty(batch) ? [] : await store.append(batch)
    } catch (error) {
      return this.#recover(jobs, tries, error)
    }
    this.#publish([...lanes.keys()], events, clock.now() - startedAt)
    for (const answer of answers) answer()
  }

  /**
   * Nothing was stored, except perhaps with `store_unavailable`, which rejects every command.
   * Otherwise finds the failing command by halving, so that the others succeed.
   */
  async #recover(jobs: readonly Job[], tries: number, error: unknown): Promise<void> {
    const lanes = byLane(jobs)
    const idsOf = (own: readonly Job[]) => [...new Set(own.flatMap(({ ids }) => ids))]
    for (const [lane, own] of lanes) lane.drop(idsOf(own))
    if (failedWith(error, 'store_unavailable')) {
      for (const [lane, own] of lanes) lane.doubt(idsOf(own))
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

  #publish(lanes: readonly Lane[], events: readonly StoredEvent[], tookMs: number): void {
    const { metrics, log } = this.#options
    let moved = 0
    for (const lane of lanes) {
      moved += lane.committed(events.filter(({ subject }) => subject.kind === lane.kind))
    }
    if (events.length === 0) return
    metrics.appended(events.length, moved, tookMs)
    for (const { type } of events) metrics.decided(type)
    notifyAll(this.#listeners, events, log)
  }
}

/** The jobs of each kind. */
function byLane(jobs: readonly Job[]): ReadonlyMap<Lane, readonly Job[]> {
  const lanes = new Map<Lane, Job[]>()
  for (const job of jobs) {
    const own = lanes.get(job.lane)
    if (own === undefined) lanes.set(job.lane, [job])
    else own.push(job)
  }
  return lanes
}

/**
 * Decides the job, and returns how to answer it after the commit. A refusal waits for the commit
 * too, because it may depend on what an earlier command of the batch decided.
 */
function decided(job: Job): () => void {
  try {
    return job.decide()
  } catch (error) {
    return () => job.reject(error)
  }
}

/** All kinds share a transaction: decisions of one turn are committed together. */
function together(lanes: readonly Lane[]): Required<Batch> {
  const batches = lanes.map((lane) => lane.batch())
  return {
    appends: batches.flatMap(({ appends }) => appends),
    cursors: batches.flatMap(({ cursors }) => cursors),
    idempotency: batches.flatMap(({ idempotency }) => idempotency),
    fences: batches.flatMap(({ fences }) => fences),
  }
}

const isEmpty = ({ appends, cursors, idempotency }: Required<Batch>): boolean =>
  appends.length + cursors.length + idempotency.length === 0
