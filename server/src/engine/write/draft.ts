import { assert } from '@settlewire/core/assert'
import { Failure, failedWith } from '@settlewire/core/errors'
import type { EventTexts, Kind } from '@settlewire/core/history/subject-kind'
import type { Append, Batch, CursorMove, IdempotentResult } from '../../ports/history.ts'
import type { Fence } from '../../ports/processes.ts'

/** Subjects of one kind by id, with the changes of the batch so far. */
export interface Loaded<State> {
  /**
   * Null for an unknown id. Throws `internal_contradiction` if the stored state cannot be read, so
   * that a command about this subject alone is refused.
   */
  get(id: string): State | null
}

/**
 * As `get`, for a command about many subjects: null also if the stored state cannot be read, so
 * that the command continues without it. Calls `unreadable` with its id.
 */
export function readable<State>(
  loaded: Loaded<State>,
  id: string,
  unreadable?: (id: string) => void,
): State | null {
  try {
    return loaded.get(id)
  } catch (error) {
    if (!failedWith(error, 'internal_contradiction')) throw error
    unreadable?.(id)
    return null
  }
}

/** The effect of one command, applied completely or not at all. */
export interface Effect<Decision, T> {
  /** In order; several decisions about one subject build on each other. */
  readonly decisions: readonly Decision[]
  /** The address index that an opening uses up. */
  readonly depositIndex?: number
  readonly cursor?: CursorMove
  readonly idempotency?: IdempotentResult
  /** The lease for the write: refused with `lease_lost` once another process has it. */
  readonly fence?: Fence | null
  readonly answer: T
}

interface DraftEntry<State> {
  readonly expectedSequence: number
  readonly events: readonly EventTexts[]
  readonly state: State
  readonly depositIndex: number | null
}

/**
 * A batch being built, for subjects of one kind: committed states, and on top the decisions so far.
 */
export class BatchDraft<State, Decision> implements Loaded<State> {
  readonly #kind: Kind<State, Decision>
  readonly #committed: ReadonlyMap<string, State>
  readonly #unreadable: ReadonlySet<string>
  readonly #entries = new Map<string, DraftEntry<State>>()
  readonly #cursors: CursorMove[] = []
  readonly #idempotency: IdempotentResult[] = []
  readonly #fences = new Map<string, Fence>()

  constructor(
    kind: Kind<State, Decision>,
    committed: ReadonlyMap<string, State>,
    unreadable: ReadonlySet<string> = new Set(),
  ) {
    this.#kind = kind
    this.#committed = committed
    this.#unreadable = unreadable
  }

  get(id: string): State | null {
    if (this.#unreadable.has(id)) {
      throw new Failure('internal_contradiction', `The stored state of ${id} cannot be read.`)
    }
    return this.#entries.get(id)?.state ?? this.#committed.get(id) ?? null
  }

  /** Adds an effect. Throws, and adds nothing, if a decision does not build on the last one. */
  add(effect: Effect<Decision, unknown>): void {
    const { identify, decided } = this.#kind
    const entries = new Map<string, DraftEntry<State>>()
    for (const decision of effect.decisions) {
      const { state, events } = decided(decision)
      if (events.length === 0) continue
      const { id, sequence } = identify(state)
      const entry = entries.get(id) ?? this.#entries.get(id) ?? null
      const before = entry?.state ?? this.#committed.get(id) ?? null
      const from = before === null ? 0 : identify(before).sequence
      assert(sequence === from + events.length, 'a decision builds on the last one')
      entries.set(id, {
        expectedSequence: entry?.expectedSequence ?? from,
        events: entry === null ? events : [...entry.events, ...events],
        state,
        depositIndex: entry?.depositIndex ?? (before ? null : (effect.depositIndex ?? null)),
      })
    }
    for (const [id, entry] of entries) this.#entries.set(id, entry)
    if (effect.cursor) this.#cursors.push(effect.cursor)
    if (effect.idempotency) this.#idempotency.push(effect.idempotency)
    const writes = entries.size > 0 || effect.cursor !== undefined
    if (effect.fence && writes)
      this.#fences.set(`${effect.fence.lease} ${effect.fence.token}`, effect.fence)
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0 && this.#cursors.length === 0 && this.#idempotency.length === 0
  }

  batch(): Required<Batch> {
    return {
      appends: [...this.#entries.values()].map((entry) => appendOf(this.#kind, entry)),
      cursors: this.#cursors,
      idempotency: this.#idempotency,
      fences: [...this.#fences.values()],
    }
  }

  /** The changed subjects, in their new state. */
  changed(): readonly State[] {
    return [...this.#entries.values()].map((entry) => entry.state)
  }
}

/** One subject's part of a batch. */
export function appendOf<State>(
  { name, identify, project }: Pick<Kind<State, never>, 'name' | 'identify' | 'project'>,
  { expectedSequence, events, state, depositIndex }: DraftEntry<State>,
): Append {
  const { id, merchantId, livemode } = identify(state)
  return {
    subject: { kind: name, id },
    merchantId,
    livemode,
    expectedSequence,
    events,
    projection: project(state),
    ...(depositIndex === null ? {} : { depositIndex }),
  }
}
