import { assert } from '@settlewire/core/assert'
import type { Kind } from '@settlewire/core/history/subject-kind'
import { LRUCache } from 'lru-cache'
import type { Batch, EventStore, StoredEvent, Unreadable } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Stop } from '../../ports/stop.ts'
import { Draft, type Effect, type Loaded, readable } from './draft.ts'

/** A change somebody wants of subjects of one kind. */
export interface Command<State, Decision, T> {
  /** The subjects it reads or changes; loaded before it decides. */
  readonly ids: readonly string[]
  /** Pure over what was loaded, because it runs again when another process was faster. */
  readonly decide: (states: Loaded<State>) => Effect<Decision, T>
}

/** What became true of one kind, in the order of commit. */
export interface Committed<State> {
  readonly states: readonly State[]
  readonly events: readonly StoredEvent[]
}

/** A command on its way, whatever its kind. */
export interface Job {
  readonly lane: Lane
  readonly ids: readonly string[]
  /** Decides into the draft of its lane, and returns how to answer once the effect is committed. */
  readonly decide: () => () => void
  readonly reject: (error: unknown) => void
}

/** One kind of a batch in the making, as the writer handles it. */
export interface Lane {
  /** Begins a batch that may touch these subjects. */
  begin(ids: readonly string[]): Promise<void>
  batch(): Required<Batch>
  /** The batch was committed with these events, those of this kind. Answers how many subjects moved. */
  committed(events: readonly StoredEvent[]): number
  readonly kind: string
  /** What is kept of these may be old. */
  drop(ids: readonly string[]): void
  /** Their last change was rejected and may have been committed after all. */
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

/** The writer for one kind of subject: what is typed of it, with the states that were committed last. */
export class KindWriter<State extends object, Decision> implements Lane {
  readonly #entry: Kind<State, Decision>
  readonly #parts: KindWriterParts
  /** As last committed by this process, the least recently used forgotten first. */
  readonly #cache: LRUCache<string, State>
  readonly #listeners = new Set<(committed: Committed<State>) => void>()
  readonly #doubters = new Set<(ids: readonly string[]) => void>()
  #draft: Draft<State, Decision> | null = null

  constructor(entry: Kind<State, Decision>, parts: KindWriterParts) {
    this.#entry = entry
    this.#parts = parts
    this.#cache = new LRUCache({ max: parts.cachedMax })
  }

  get kind(): string {
    return this.#entry.name
  }

  /** Resolves with the answer once its effect is committed and told to the listeners. */
  submit<T>({ ids, decide }: Command<State, Decision, T>): Promise<T> {
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

  /** Told of every commit of this kind, in order, before the commands are answered. */
  onCommit(listener: (committed: Committed<State>) => void): Stop {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /**
   * Told of subjects whose last change was rejected with `store_unavailable` and may have been
   * committed after all: whoever keeps something of them reads them again.
   */
  onDoubt(listener: (ids: readonly string[]) => void): Stop {
    this.#doubters.add(listener)
    return () => {
      this.#doubters.delete(listener)
    }
  }

  /**
   * Loads subjects that another process has moved, and answers with how they stand: not older than
   * when this was called, nor than what was told of them since. Left out are unknown ids, and those
   * whose stored state cannot be read.
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
    // What a later command of the same batch has made of it was told before this was answered.
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
    this.#draft = new Draft(this.#entry, loaded, unreadable)
  }

  batch(): Required<Batch> {
    assert(this.#draft !== null, 'a batch has begun')
    return this.#draft.batch()
  }

  committed(events: readonly StoredEvent[]): number {
    const states = this.#draft?.changed() ?? []
    this.#draft = null
    for (const state of states) this.#cache.set(this.#entry.identify(state).id, state)
    tell(this.#listeners, { states, events }, this.#parts.log)
    return states.length
  }

  drop(ids: readonly string[]): void {
    for (const id of ids) this.#cache.delete(id)
  }

  doubt(ids: readonly string[]): void {
    tell(this.#doubters, ids, this.#parts.log)
  }
}

/** What happened is answered as it happened; a listener that fails is a bug of its own. */
export function tell<News>(listeners: ReadonlySet<(news: News) => void>, news: News, log: Log) {
  for (const listener of listeners) {
    try {
      listener(news)
    } catch (error) {
      log.error({ error }, 'a listener of the writer failed')
    }
  }
}
