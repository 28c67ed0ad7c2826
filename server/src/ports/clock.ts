import type { Instant } from '@settlewire/core/instant'
import type { Stop } from './stop.ts'

/** The only source of time and chance. */
export interface Clock {
  now(): Instant
  /** Calls `call` once, after at least `delayMs`. Never keeps the process alive. */
  after(delayMs: number, call: () => void): Stop
  /** Calls `call` once, in the next round of the event loop, after new connections and bytes. */
  soon(call: () => void): void
  /** Resolves after `delayMs`, or at once when the signal aborts. Never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** Cryptographically strong. */
  random(bytes: number): Uint8Array
  /** Evenly spread in [0, 1). For jitter, not for secrets. */
  chance(): number
}
