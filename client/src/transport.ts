import type { Instant } from '@settlewire/core/instant'

/** How news come: pushed, asked for and held, or asked for every few seconds. */
export type Transport = 'stream' | 'long_poll' | 'poll'

/** How an attempt came to nothing. */
export type Strike =
  | 'unreachable' // no answer
  | 'mute' // it was accepted and then nothing came through: something in between holds it back
  | 'no_stream' // this runtime cannot read a body while it arrives
  | 'short' // it was cut soon after it began

/** Where we stand between the transports. */
export interface Ladder {
  readonly transport: Transport
  readonly strikes: number
  /** Whether this is a try of the stream from a transport that works. */
  readonly climbing: boolean
  /** When to try the stream again. */
  readonly climbAt: Instant
  readonly climbAfterMs: number
}

const strikesMax = 2
const weight: Readonly<Record<Strike, number>> = {
  ...{ unreachable: 1, short: 1 },
  ...{ mute: strikesMax, no_stream: strikesMax },
}

/** Down the ladder; from the last rung back to the first, for then nothing works and all are equal. */
const below: Readonly<Record<Transport, Transport>> = {
  stream: 'long_poll',
  long_poll: 'poll',
  poll: 'stream',
}

const climbAfterMinMs = 15_000
const climbAfterMaxMs = 600_000

export const firstRung: Ladder = {
  transport: 'stream',
  strikes: 0,
  climbing: false,
  climbAt: 0,
  climbAfterMs: climbAfterMinMs,
}

/** After an attempt that came to nothing. */
export function struck(ladder: Ladder, strike: Strike, now: Instant): Ladder {
  const strikes = ladder.strikes + weight[strike]
  if (strikes < strikesMax && !ladder.climbing) return { ...ladder, strikes }
  // Where the stream was tried in vain it is tried less often; after an outage soon again.
  const climbAfterMs = ladder.climbing
    ? Math.min(climbAfterMaxMs, ladder.climbAfterMs * 2)
    : climbAfterMinMs
  return {
    transport: below[ladder.transport],
    strikes: 0,
    climbing: false,
    // What a runtime cannot do it will not learn.
    climbAt: strike === 'no_stream' ? Number.POSITIVE_INFINITY : now + climbAfterMs,
    climbAfterMs,
  }
}

/** After an attempt that lasted: a stream that stood, or an answer to a question. */
export function lasted(ladder: Ladder, now: Instant): Ladder {
  if (ladder.transport === 'stream') return firstRung
  if (now < ladder.climbAt) return { ...ladder, strikes: 0 }
  return { ...ladder, transport: 'stream', strikes: 0, climbing: true }
}
