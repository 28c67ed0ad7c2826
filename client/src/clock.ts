import type { Instant } from '@settlewire/core/instant'

/** Stops what the call that returned it has started. Calling it again does nothing. */
export type Stop = () => void

/** Time and chance, so that a test can own both. */
export interface Clock {
  now(): Instant
  /** Calls back once, not before `delayMs` have passed; much later when the device slept. */
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
