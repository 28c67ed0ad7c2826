import type { WireEvent } from './wire-event.ts'

/** How an event relates to what was held before it. */
export type Relation =
  | 'next' // it follows directly
  | 'state' // the whole state at a later point; what lies between was not promised
  | 'known' // it is what is held
  | 'old' // older than what is held: it proves nothing
  | 'gap' // something in between is missing

/** How often in a row a gap may come back before the state is taken as it is. */
const gapsMax = 3

/** How far into a payment's history a watch has come. The stored sequence decides, nothing else. */
export class Position {
  #sequence: number
  #eventId: string | null = null
  #gaps = 0
  /** Whether the next event may be ahead of us, because nobody promised continuity. */
  #open = true

  readonly #resumes: boolean

  /** `resumes`: every event is wanted, not just the newest state. */
  constructor({ sequence = 0, resumes = true }: { sequence?: number; resumes?: boolean } = {}) {
    this.#sequence = sequence
    this.#resumes = resumes
  }

  get sequence(): number {
    return this.#sequence
  }

  /** What to resume from; null asks for the state. */
  get eventId(): string | null {
    return this.#resumes ? this.#eventId : null
  }

  /** A new attempt: only one that resumes from an event is continuous. */
  begin(): void {
    this.#open = this.eventId === null
  }

  /** Continuity is lost. The next event is taken as it is, unless it is older than what is held. */
  forget(): void {
    this.#eventId = null
    this.#open = true
  }

  /** Moves on to the event, if it is news. */
  take(event: WireEvent): Relation {
    const { sequence } = event.data
    if (sequence < this.#sequence) return 'old'
    if (sequence === this.#sequence) {
      // The same point, now with its id: from here the history can be resumed.
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
