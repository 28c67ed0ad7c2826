import type { Instant } from '@settlewire/core/instant'

/** How updates arrive: pushed, polled with a held request, or polled every few seconds. */
export type Transport = 'stream' | 'long_poll' | 'poll'

/** How an attempt failed. */
export type AttemptFailure =
  | 'unreachable' // no response
  | 'mute' // nothing arrived: usually a proxy holds the data back
  | 'no_stream' // this runtime cannot read a body while it arrives
  | 'short' // it was cut soon after it began

/** The current transport, and when to try a better one. */
export interface TransportState {
  readonly transport: Transport
  /** The failures of this transport in a row, each with its `weight`. */
  readonly failures: number
  /** Whether this attempt tries the stream again although polling works. */
  readonly triesStream: boolean
  /** When to try the stream again, if it is not the transport. */
  readonly streamAt: Instant
  readonly streamAfterMs: number
}

/** At this many failures the next transport is used; `mute` and `no_stream` count as that many. */
const failuresMax = 2
const weight: Readonly<Record<AttemptFailure, number>> = {
  ...{ unreachable: 1, short: 1 },
  ...{ mute: failuresMax, no_stream: failuresMax },
}

/** The transport to use after failures. When polling fails too, it starts again with the stream. */
const nextAfter: Readonly<Record<Transport, Transport>> = {
  stream: 'long_poll',
  long_poll: 'poll',
  poll: 'stream',
}

const retryStreamMsMin = 15_000
const retryStreamMsMax = 600_000

export const initialState: TransportState = {
  transport: 'stream',
  failures: 0,
  triesStream: false,
  streamAt: 0,
  streamAfterMs: retryStreamMsMin,
}

/** The state after a failed attempt. */
export function afterFailure(
  state: TransportState,
  failure: AttemptFailure,
  now: Instant,
): TransportState {
  const failures = state.failures + weight[failure]
  if (failures < failuresMax && !state.triesStream) return { ...state, failures }
  // If trying the stream again failed, wait longer before the next time; else begin with the minimum.
  const streamAfterMs = state.triesStream
    ? Math.min(retryStreamMsMax, state.streamAfterMs * 2)
    : retryStreamMsMin
  const streamAt = retryTime(state, failure, now + streamAfterMs)
  return { ...initialState, transport: nextAfter[state.transport], streamAt, streamAfterMs }
}

function retryTime(state: TransportState, failure: AttemptFailure, usualTime: Instant): Instant {
  // A runtime that cannot stream will not be able to later.
  if (failure === 'no_stream') return Number.POSITIVE_INFINITY
  // Without a response nothing was learned about streams: try one as soon as the server answers.
  return failure === 'unreachable' && !state.triesStream ? 0 : usualTime
}

/** The state after an attempt that lasted: a stream that stayed open, or an answered poll. */
export function afterSuccess(state: TransportState, now: Instant): TransportState {
  if (state.transport === 'stream') return initialState
  if (now < state.streamAt) return { ...state, failures: 0 }
  return { ...state, transport: 'stream', failures: 0, triesStream: true }
}
