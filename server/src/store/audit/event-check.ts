import { noSeal, type Sealable, seal } from '@settlewire/core/history/seal'
import type { EventTexts, Identity, Kind, Projection } from '@settlewire/core/history/subject-kind'
import type { PolicyOf } from '@settlewire/core/payment/fold'
import { digest } from '../history/digest.ts'
import { eventName, type Finding, subjectName } from './finding.ts'
import { booleanOf, instantOf, type Row, textOf } from './source.ts'

/** What the events of a subject make of it. */
export interface Folded {
  readonly identity: Identity
  readonly projection: Projection
}

/** Folds subjects of one kind, whatever its states are. */
export interface Folding {
  add(events: readonly EventTexts[]): void
  end(): Folded | null
}

/** How subjects of a kind are folded. */
export const foldingOf =
  <State, Decision>(kind: Kind<State, Decision>) =>
  (policyOf: PolicyOf): Folding => {
    let state: State | null = null
    return {
      add(events) {
        state = kind.apply(state, events, policyOf)
      },
      end: () => state && { identity: kind.identify(state), projection: kind.project(state) },
    }
  }

/** The kinds of a history, by name. */
export type Foldings = ReadonlyMap<string, (policyOf: PolicyOf) => Folding>

/** What is needed to look at a subject. */
export interface CheckParts {
  readonly kinds: Foldings
  readonly policyOf: PolicyOf
  readonly find: (finding: Finding) => void
  /** Told of each event's place in its feed. */
  readonly place: (row: Row) => void
}

/** The events of one subject, one after the other: seals, sequences, order of positions, and their fold. */
export class EventCheck {
  readonly id: string
  readonly kind: string
  readonly #parts: CheckParts
  readonly #first: Row
  readonly #folding: Folding | null
  #texts: EventTexts[] = []
  #last: Row | null = null
  #sequence = 0
  #position = 0
  #seal = noSeal
  #isWhole = true

  constructor(first: Row, parts: CheckParts) {
    this.#parts = parts
    this.#first = first
    this.id = textOf(first, 'subject_id')
    this.kind = textOf(first, 'kind')
    const folding = parts.kinds.get(this.kind)
    this.#folding = folding?.(parts.policyOf) ?? null
    if (folding === undefined) this.#find(first, `there is no kind ${this.kind} here`)
  }

  get sequence(): number {
    return this.#sequence
  }

  get seal(): string {
    return this.#seal
  }

  add(row: Row): void {
    const sequence = Number(row.sequence)
    const position = Number(row.position)
    if (sequence !== this.#sequence + 1) {
      this.#find(row, `event ${this.#sequence + 1} of the subject is missing before it`)
    }
    if (position <= this.#position) {
      this.#find(row, `its position is not behind ${this.#position}, that of the event before it`)
    }
    const { merchant_id, livemode, kind } = this.#first
    if (row.merchant_id !== merchant_id || row.livemode !== livemode || row.kind !== kind) {
      this.#find(row, 'it is not of the merchant, mode and kind of the first event of its subject')
    }
    const event = eventOf(row)
    const stored = textOf(row, 'seal').slice(hexPrefix)
    if (sealOf(event, this.#seal) !== stored) {
      this.#find(row, 'its seal is not that of its content after the event before it')
    }
    this.#parts.place(row)
    this.#texts.push(event)
    if (this.#texts.length >= runMax) this.#fold()
    this.#last = row
    this.#sequence = sequence
    this.#position = position
    this.#seal = stored
  }

  /** What the events make of the subject; null where they cannot be folded, which is a finding. */
  end(): Folded | null {
    this.#fold()
    return this.#isWhole ? (this.#folding?.end() ?? null) : null
  }

  #fold(): void {
    const texts = this.#texts
    this.#texts = []
    if (!this.#isWhole || texts.length === 0) return
    try {
      this.#folding?.add(texts)
    } catch (error) {
      this.#isWhole = false
      const why = error instanceof Error ? error.message : String(error)
      const upTo = `up to sequence ${texts.at(-1)?.sequence}`
      this.#parts.find({
        where: subjectName(this.kind, this.id),
        what: `its events cannot be folded ${upTo}: ${why}`,
      })
    }
  }

  #find(row: Row, what: string): void {
    this.#parts.find({ where: eventName(row), what })
  }

  /** The last event, for what is missing behind it. */
  get lastName(): string {
    return this.#last === null ? subjectName(this.kind, this.id) : eventName(this.#last)
  }
}

/** Events of one subject that are folded at a time: so a long history needs no more memory than this. */
const runMax = 1_000

/** `\x` before the digits of a bytea. */
const hexPrefix = 2

/** Null where a name could not have been sealed at all. */
function sealOf(event: Sealable, previous: string): string | null {
  try {
    return seal(event, previous, digest)
  } catch {
    // A blank in a name, or a time that is none: nothing of ours was ever sealed like that.
    return null
  }
}

const eventOf = (row: Row): Sealable => ({
  subject: { kind: textOf(row, 'kind'), id: textOf(row, 'subject_id') },
  merchantId: textOf(row, 'merchant_id'),
  livemode: booleanOf(row, 'livemode'),
  sequence: Number(row.sequence),
  id: textOf(row, 'id'),
  type: textOf(row, 'type'),
  at: instantOf(row, 'at'),
  dataJson: textOf(row, 'data'),
  evidenceJson: textOf(row, 'evidence'),
})
