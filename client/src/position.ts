import type { WireEvent } from './wire-event.ts'

/** How an event relates to the current position. */
export type Relation =
  | 'next' // it follows directly
  | 'state' // the whole state at a later point; the events in between may be missing
  | 'known' // it is the newest event that we have
  | 'old' // older than the newest event that we have: ignore it
  | 'gap' // an event in between is missing

/**
 * How many gaps in a row are reported. The next event after the last of them is taken as the state.
 */
const gapsMax = 3

/** How far a watch has read a payment's history. An event is new if its sequence is higher. */
export class Position {
  #sequence: number
  #eventId: string | null = null
  #gaps = 0
  /** Whether the next event may skip sequences, because the server did not promise continuity. */
  #open = true

  readonly #resumes: boolean

  /** `resumes`: the caller wants every event, not just the newest state. */
  constructor({ sequence = 0, resumes = true }: { sequence?: number; resumes?: boolean } = {}) {
    this.#sequence = sequence
    this.#resumes = resumes
  }

  get sequence(): number {
    return this.#sequence
  }

  /** The event id to resume from; null requests the state. */
  get eventId(): string | null {
    return this.#resumes ? this.#eventId : null
  }

  /** Begins a new attempt. Only an attempt that resumes from an event is continuous. */
  begin(): void {
    this.#open = this.eventId === null
  }

  /** Continuity is lost: the next event is taken as the state, unless it is older than ours. */
  forget(): void {
    this.#eventId = null
    this.#open = true
  }

  /**
   * Compares the event with the position. `next` and `state` move the position, and `known` stores
   * the event's id. `old` and `gap` do not move it.
   */
  take(event: WireEvent): Relation {
    const { sequence } = event.data
    if (sequence < this.#sequence) return 'old'
    if (sequence === this.#sequence) {
      // The same sequence, now with its event id: the history can be resumed from here.
      this.#hold(event)
      return 'known'
    }
    const isNext = sequence === this.#sequence + 1
    if (!isNext && !this.#open) {
      this.#gaps += 1
      if (this.#gaps >= gapsMax) this.forget()
      return 'gap'
    }
    this.#hold(event)
    return isNext ? 'next' : 'state'
  }

  #hold(event: WireEvent): void {
    this.#sequence = event.data.sequence
    this.#eventId = event.id
    this.#gaps = 0
    this.#open = false
  }
}
