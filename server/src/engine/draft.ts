import { assert } from '@settlewire/core/assert'
import type { Decision, PaymentEvent } from '@settlewire/core/event'
import type { Payment } from '@settlewire/core/payment'
import type { Append, Batch, CursorMove, IdempotentResult } from '../ports.ts'

/** Payments by id, as the batch has them so far. */
export interface Loaded {
  /** Null for an id that does not exist. */
  get(id: string): Payment | null
}

/** What one command makes true, all of it or nothing. */
export interface Effect<T> {
  /** In order; several of one payment build on each other. */
  readonly decisions: readonly Decision[]
  /** The address index that an opening uses up. */
  readonly depositIndex?: number
  readonly cursor?: CursorMove
  readonly idempotency?: IdempotentResult
  readonly answer: T
}

interface Entry {
  readonly expectedSequence: number
  readonly events: readonly PaymentEvent[]
  readonly state: Payment
  readonly depositIndex: number | null
}

/** A batch in the making: committed payments, and on top what its commands have decided so far. */
export class Draft implements Loaded {
  readonly #committed: ReadonlyMap<string, Payment>
  readonly #entries = new Map<string, Entry>()
  readonly #cursors: CursorMove[] = []
  readonly #idempotency: IdempotentResult[] = []

  constructor(committed: ReadonlyMap<string, Payment>) {
    this.#committed = committed
  }

  get(id: string): Payment | null {
    return this.#entries.get(id)?.state ?? this.#committed.get(id) ?? null
  }

  /** Takes a command's effect in. Throws before anything is taken when it does not fit. */
  add(effect: Effect<unknown>): void {
    const entries = new Map<string, Entry>()
    for (const { events, payment } of effect.decisions) {
      if (events.length === 0) continue
      const entry = entries.get(payment.id) ?? this.#entries.get(payment.id) ?? null
      const before = entry?.state ?? this.#committed.get(payment.id) ?? null
      const sequence = before?.sequence ?? 0
      assert(payment.sequence === sequence + events.length, 'a decision builds on the last one')
      entries.set(payment.id, {
        expectedSequence: entry?.expectedSequence ?? sequence,
        events: entry === null ? events : [...entry.events, ...events],
        state: payment,
        depositIndex: entry?.depositIndex ?? (before ? null : (effect.depositIndex ?? null)),
      })
    }
    for (const [id, entry] of entries) this.#entries.set(id, entry)
    if (effect.cursor) this.#cursors.push(effect.cursor)
    if (effect.idempotency) this.#idempotency.push(effect.idempotency)
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0 && this.#cursors.length === 0 && this.#idempotency.length === 0
  }

  batch(): Batch {
    return {
      appends: [...this.#entries.values()].map(
        ({ expectedSequence, events, state, depositIndex }): Append => ({
          ...{ expectedSequence, events, state },
          ...(depositIndex === null ? {} : { depositIndex }),
        }),
      ),
      cursors: this.#cursors,
      idempotency: this.#idempotency,
    }
  }

  /** The payments that change, as they will be. */
  changed(): readonly Payment[] {
    return [...this.#entries.values()].map((entry) => entry.state)
  }
}
