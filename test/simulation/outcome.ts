import type { Tally } from './readers/tally.ts'

/** What became of one seed. */
export interface Outcome {
  readonly seed: number
  /** Empty when every rule held. */
  readonly violations: readonly string[]
  /** Of everything that happened, in its order. */
  readonly hash: string
  /** What happened, to be read; only when something is wrong. */
  readonly trace: string | null
  readonly steps: number
  readonly events: number
  /** For how long each kind of sentence was shown, and was not so. */
  readonly tally: Tally
}
