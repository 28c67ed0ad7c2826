import type { Instant } from '@settlewire/core/instant'
import type { Stop } from './stop.ts'

/** The only source of time and chance. */
export interface Clock {
  now(): Instant
  /** Calls `call` once, after at least `delayMs`. Never keeps the process alive. */
  after(delayMs: number, call: () => void): Stop
  /**
   * Calls `call` once, after the event loop has taken new connections and bytes. Timers without a
   * delay do not wait for these: if they set further ones, they can hold them up for seconds.
   */
  soon(call: () => void): void
  /** Resolves after `delayMs`, or at once when the signal aborts. Never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** Cryptographically strong. */
  random(bytes: number): Uint8Array
  /** Evenly spread in [0, 1). For jitter, not for secrets. */
  chance(): number
}
