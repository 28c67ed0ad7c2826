import type { Instant } from '@settlewire/core/instant'

/** How updates arrive: pushed, polled with a held request, or polled every few seconds. */
export type Transport = 'stream' | 'long_poll' | 'poll'

/** How an attempt failed. */
export type Strike =
  | 'unreachable' // no response
  | 'mute' // the server accepted it, but a proxy holds the data back
  | 'no_stream' // this runtime cannot read a body while it arrives
  | 'short' // it was cut soon after it began

/** The current transport, and when to try a better one. */
export interface Ladder {
  readonly transport: Transport
  readonly strikes: number
  /** Whether this attempt tries the stream although the lower transport works. */
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

/**
 * The next transport after failures. After the last one comes the stream again: none works anyway.
 */
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

/** The ladder after a failed attempt. */
export function struck(ladder: Ladder, strike: Strike, now: Instant): Ladder {
  const strikes = ladder.strikes + weight[strike]
  if (strikes < strikesMax && !ladder.climbing) return { ...ladder, strikes }
  // After a failed try of the stream the next one comes later; after an outage it comes soon.
  const climbAfterMs = ladder.climbing
    ? Math.min(climbAfterMaxMs, ladder.climbAfterMs * 2)
    : climbAfterMinMs
  const climbAt = climbTime(ladder, strike, now + climbAfterMs)
  return { transport: below[ladder.transport], strikes: 0, climbing: false, climbAt, climbAfterMs }
}

function climbTime(ladder: Ladder, strike: Strike, later: Instant): Instant {
  // A runtime that cannot stream will not be able to later.
  if (strike === 'no_stream') return Number.POSITIVE_INFINITY
  // Without a response nothing was learned about streams: try one as soon as the server answers.
  return strike === 'unreachable' && !ladder.climbing ? 0 : later
}

/** The ladder after an attempt that lasted: a stream that stayed open, or an answered poll. */
export function lasted(ladder: Ladder, now: Instant): Ladder {
  if (ladder.transport === 'stream') return firstRung
  if (now < ladder.climbAt) return { ...ladder, strikes: 0 }
  return { ...ladder, transport: 'stream', strikes: 0, climbing: true }
}
