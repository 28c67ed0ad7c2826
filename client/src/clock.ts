import type { Instant } from '@settlewire/core/instant'

/** Stops what the call that returned it has started. A second call does nothing. */
export type Stop = () => void

/** Time and chance, so that a test can control both. */
export interface Clock {
  now(): Instant
  /** Calls `call` once, after at least `delayMs`; much later if the device slept. */
  after(delayMs: number, call: () => void): Stop
  /** Evenly spread in [0, 1). For jitter only. */
  chance(): number
}

/** The clock of this device. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs)
    return () => clearTimeout(timer)
  },
  chance: () => Math.random(),
}
