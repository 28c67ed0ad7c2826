import type { Instant } from '@settlewire/core/instant'
import { backoffMs } from './backoff.ts'
import {
  type AttemptFailure,
  afterFailure,
  afterSuccess,
  initialState,
  type Transport,
  type TransportState,
} from './transport.ts'

/** An attempt that lasted this long counts as good. */
const lastedMs = 5_000

const base = { ms: 1_000, msMin: 100, msMax: 60_000 } as const
const retryAfterMsMax = 600_000
const pollMs = 3_000

/** The server did not hold a long-poll that was answered sooner than this. */
const heldMs = 1_000

/** The result of one attempt. */
export interface EndedAttempt {
  readonly begunAt: Instant
  /** When it first proved that we have the newest event; null if it never did. */
  readonly provenAt: Instant | null
  /**
   * Why it did not last, if known. `mute`: nothing arrived, although the server accepted the stream
   * or a poll had enough time. `no_stream`: this runtime cannot read a body while it arrives.
   */
  readonly fault: 'mute' | 'no_stream' | null
}

/** Decides when to try again, and by which transport, from the attempts so far. */
export class Retries {
  #transportState: TransportState = initialState
  #tries = 0
  #baseMs: number = base.ms
  #notBeforeMs = 0

  get transport(): Transport {
    return this.#transportState.transport
  }

  /** The server's `retry:`. */
  askedToWait(waitMs: number): void {
    this.#baseMs = Math.min(base.msMax, Math.max(base.msMin, waitMs))
  }

  /** The server's `Retry-After`; applies to the next wait only. */
  retryAfter(waitMs: number): void {
    this.#notBeforeMs = Math.min(retryAfterMsMax, waitMs)
  }

  /** A stream ended, or a request failed. */
  ended(attempt: EndedAttempt, now: Instant): void {
    if (attempt.provenAt !== null && now - attempt.provenAt >= lastedMs) {
      this.#transportState = initialState
      this.#tries = 0
      return
    }
    this.#tries += 1
    const { provenAt, fault } = attempt
    const failure: AttemptFailure = provenAt !== null ? 'short' : (fault ?? 'unreachable')
    this.#transportState = afterFailure(this.#transportState, failure, now)
  }

  /** How long to wait before the next attempt. */
  waitMs(chance: number): number {
    const tries = Math.max(0, this.#tries - 1)
    const notBeforeMs = this.#notBeforeMs
    this.#notBeforeMs = 0
    return backoffMs({ tries, baseMs: this.#baseMs, notBeforeMs }, chance)
  }

  /** A request was answered. Returns the wait before the next request. */
  answered(begunAt: Instant, now: Instant, chance: number): number {
    const wasHeld = this.#transportState.transport === 'long_poll' && now - begunAt >= heldMs
    this.#tries = 0
    this.#transportState = afterSuccess(this.#transportState, now)
    // The stream is tried at once: the wait before this request has spread the clients.
    return wasHeld || this.#transportState.triesStream ? 0 : pollMs * (0.75 + chance / 2)
  }
}
