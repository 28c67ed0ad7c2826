import { noSeal, type Sealable, seal } from '@settlewire/core/history/seal'
import type { EventTexts, Identity, Kind, Projection } from '@settlewire/core/history/subject-kind'
import type { PolicyOf } from '@settlewire/core/payment/fold'
import { digest } from '../history/digest.ts'
import { type AuditFinding, eventName, subjectName } from './finding.ts'
import { type AuditRow, booleanOf, instantOf, textOf } from './source.ts'

/** What folding the events of a subject results in. */
export interface Folded {
  readonly identity: Identity
  readonly projection: Projection
}

/** Folds the events of one subject and hides the type of its state. */
export interface Folding {
  add(events: readonly EventTexts[]): void
  end(): Folded | null
}

/** Makes the folding for subjects of a kind. */
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

/** The foldings of all kinds, by name. */
export type Foldings = ReadonlyMap<string, (policyOf: PolicyOf) => Folding>

/** What the check of a subject needs. */
export interface EventCheckParts {
  readonly kinds: Foldings
  readonly policyOf: PolicyOf
  readonly find: (finding: AuditFinding) => void
  /** Called once for each event, to check its position in the feed. */
  readonly place: (row: AuditRow) => void
}

/** Checks and folds the events of one subject, in order: seals, sequences, ascending positions. */
export class EventCheck {
  readonly id: string
  readonly kind: string
  readonly #parts: EventCheckParts
  readonly #first: AuditRow
  readonly #folding: Folding | null
  #texts: EventTexts[] = []
  #last: AuditRow | null = null
  #sequence = 0
  #position = 0
  #seal = noSeal
  #isWhole = true

  constructor(first: AuditRow, parts: EventCheckParts) {
    this.#parts = parts
    this.#first = first
    this.id = textOf(first, 'subject_id')
    this.kind = textOf(first, 'kind')
    const folding = parts.kinds.get(this.kind)
    this.#folding = folding?.(parts.policyOf) ?? null
    if (folding === undefined) this.#find(first, `unknown kind ${this.kind}`)
  }

  get sequence(): number {
    return this.#sequence
  }

  get seal(): string {
    return this.#seal
  }

  add(row: AuditRow): void {
    const sequence = Number(row.sequence)
    const position = Number(row.position)
    if (sequence !== this.#sequence + 1) {
      this.#find(row, `event ${this.#sequence + 1} of the subject is missing before this event`)
    }
    if (position <= this.#position) {
      const than = `${this.#position}, the position of the previous event`
      this.#find(row, `its position must be greater than ${than}`)
    }
    const { merchant_id, livemode, kind } = this.#first
    if (row.merchant_id !== merchant_id || row.livemode !== livemode || row.kind !== kind) {
      this.#find(row, 'its merchant, mode or kind differs from the first event of its subject')
    }
    const event = eventOf(row)
    const stored = textOf(row, 'seal').slice(hexPrefix)
    if (sealOf(event, this.#seal) !== stored) {
      this.#find(row, 'its seal does not match its content and the seal of the previous event')
    }
    this.#parts.place(row)
    this.#texts.push(event)
    if (this.#texts.length >= runMax) this.#fold()
    this.#last = row
    this.#sequence = sequence
    this.#position = position
    this.#seal = stored
  }

  /** The state after all events; null if they cannot be folded, which is reported as a finding. */
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

  #find(row: AuditRow, what: string): void {
    this.#parts.find({ where: eventName(row), what })
  }

  /** The name of the last event, for a finding about events that are missing after it. */
  get lastName(): string {
    return this.#last === null ? subjectName(this.kind, this.id) : eventName(this.#last)
  }
}

/** The number of events folded at a time, which bounds the memory for a long history. */
const runMax = 1_000

/** The length of the `\x` before the digits of a bytea. */
const hexPrefix = 2

/** Null if the event has a name or time that cannot be sealed at all. */
function sealOf(event: Sealable, previous: string): string | null {
  try {
    return seal(event, previous, digest)
  } catch {
    // A blank in a name or an invalid time: this program never sealed such an event.
    return null
  }
}

const eventOf = (row: AuditRow): Sealable => ({
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
