import type { Tally } from './readers/tally.ts'

/** The result of one seed. */
export interface Outcome {
  readonly seed: number
  /** Empty if every rule held. */
  readonly violations: readonly string[]
  /** A hash over all events of the world in order. */
  readonly hash: string
  /** The readable trace; only for a seed with violations. */
  readonly trace: string | null
  readonly steps: number
  readonly events: number
  /** For how long each kind of statement was shown, and was untrue. */
  readonly tally: Tally
  /** The number of denials that had to be in a history. */
  readonly denials?: number
}
