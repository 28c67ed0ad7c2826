import { assert } from '@settlewire/core/assert'
import type { Kind } from '@settlewire/core/history/subject-kind'
import { LRUCache } from 'lru-cache'
import type { Batch, EventStore, StoredEvent, Unreadable } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Stop } from '../../ports/stop.ts'
import { BatchDraft, type Effect, type Loaded, readable } from './draft.ts'

/** A requested change of subjects of one kind. */
export interface SubjectCommand<State, Decision, T> {
  /** The subjects it reads or changes; loaded before it decides. */
  readonly ids: readonly string[]
  /** Must be pure over the loaded states: it runs again when another process committed first. */
  readonly decide: (states: Loaded<State>) => Effect<Decision, T>
}

/** What one batch committed of one kind: the changed states, and the events in order. */
export interface Committed<State> {
  readonly states: readonly State[]
  readonly events: readonly StoredEvent[]
}

/** A queued command of any kind. */
export interface Job {
  readonly lane: Lane
  readonly ids: readonly string[]
  /**
   * Decides into its lane's draft. Returns the function that answers the command: to be called once
   * the batch is committed.
   */
  readonly decide: () => () => void
  readonly reject: (error: unknown) => void
}

/** One kind's part of a batch being built, as the writer uses it. */
export interface Lane {
  /** Begins a batch that may touch these subjects. */
  begin(ids: readonly string[]): Promise<void>
  batch(): Required<Batch>
  /** Takes the committed events of this kind. Returns how many subjects changed. */
  committed(events: readonly StoredEvent[]): number
  readonly kind: string
  /** Drops cached states that may be stale. */
  drop(ids: readonly string[]): void
  /** The last change of these was rejected, and may have been committed after all. */
  doubt(ids: readonly string[]): void
}

export interface KindWriterParts {
  readonly store: Pick<EventStore, 'load'>
  readonly log: Log
  readonly unreadable?: Unreadable
  readonly cachedMax: number
  /** Queues, or throws a `Failure`. */
  readonly queue: (job: Job) => void
}

/** The writer for one kind of subject, with a cache of the last committed states. */
export class KindWriter<State extends object, Decision> implements Lane {
  readonly #entry: Kind<State, Decision>
  readonly #parts: KindWriterParts
  /** States last committed or loaded here; the least recently used are dropped first. */
  readonly #cache: LRUCache<string, State>
  readonly #listeners = new Set<(committed: Committed<State>) => void>()
  readonly #doubters = new Set<(ids: readonly string[]) => void>()
  #draft: BatchDraft<State, Decision> | null = null

  constructor(entry: Kind<State, Decision>, parts: KindWriterParts) {
    this.#entry = entry
    this.#parts = parts
    // Limited by `maxSize`: with `max`, the cache would allocate all entries at once.
    this.#cache = new LRUCache({ maxSize: parts.cachedMax, sizeCalculation: () => 1 })
  }

  get kind(): string {
    return this.#entry.name
  }

  /** Resolves with the answer once the effect is committed and the listeners were notified. */
  submit<T>({ ids, decide }: SubjectCommand<State, Decision, T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const intoDraft = (): (() => void) => {
        assert(this.#draft !== null, 'a command decides within a batch')
        const effect = decide(this.#draft)
        this.#draft.add(effect)
        return () => resolve(effect.answer)
      }
      this.#parts.queue({ lane: this, ids, decide: intoDraft, reject })
    })
  }

  /**
   * Calls the listener after each batch with commands of this kind, in order, before these are
   * answered. `states` and `events` are empty if the batch changed nothing of this kind.
   */
  onCommit(listener: (committed: Committed<State>) => void): Stop {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /**
   * Calls the listener with subjects whose last change was rejected with `store_unavailable` and
   * may have been committed after all: code that caches their state must read it again.
   */
  onDoubt(listener: (ids: readonly string[]) => void): Stop {
    this.#doubters.add(listener)
    return () => {
      this.#doubters.delete(listener)
    }
  }

  /**
   * Loads subjects that another process has changed. The states are not older than the call, nor
   * than any commit notified since. Leaves out unknown ids, and those whose stored state cannot be
   * read.
   */
  async reload(ids: readonly string[]): Promise<readonly State[]> {
    this.drop(ids)
    const loaded = await this.submit({
      ids,
      decide: (states) => ({
        decisions: [],
        answer: ids.flatMap((id) => readable(states, id) ?? []),
      }),
    })
    // A later command of the same batch may have changed a state; that was notified before this
    // answer.
    return loaded.map((state) => this.#cache.get(this.#entry.identify(state).id) ?? state)
  }

  async begin(ids: readonly string[]): Promise<void> {
    const loaded = new Map<string, State>()
    const missing: string[] = []
    for (const id of new Set(ids)) {
      const state = this.#cache.get(id)
      if (state === undefined) missing.push(id)
      else loaded.set(id, state)
    }
    const unreadable = new Set<string>()
    const read =
      missing.length === 0
        ? []
        : await this.#parts.store.load(this.#entry, missing, (id, error) => {
            unreadable.add(id)
            this.#parts.unreadable?.(id, error)
          })
    for (const state of read) {
      const { id } = this.#entry.identify(state)
      loaded.set(id, state)
      this.#cache.set(id, state)
    }
    this.#draft = new BatchDraft(this.#entry, loaded, unreadable)
  }

  batch(): Required<Batch> {
    assert(this.#draft !== null, 'a batch has begun')
    return this.#draft.batch()
  }

  committed(events: readonly StoredEvent[]): number {
    const states = this.#draft?.changed() ?? []
    this.#draft = null
    for (const state of states) this.#cache.set(this.#entry.identify(state).id, state)
    notifyAll(this.#listeners, { states, events }, this.#parts.log)
    return states.length
  }

  drop(ids: readonly string[]): void {
    for (const id of ids) this.#cache.delete(id)
  }

  doubt(ids: readonly string[]): void {
    notifyAll(this.#doubters, ids, this.#parts.log)
  }
}

/**
 * Notifies all listeners. A listener that throws is logged as a bug and does not affect the commit.
 */
export function notifyAll<News>(
  listeners: ReadonlySet<(news: News) => void>,
  news: News,
  log: Log,
) {
  for (const listener of listeners) {
    try {
      listener(news)
    } catch (error) {
      log.error({ error }, 'a listener of the writer failed')
    }
  }
}
