/** Determines the wait before the next attempt. */
export interface Backoff {
  /** Failed tries since the last attempt that lasted; 0 before the first retry. */
  readonly tries: number
  /** The base of the window: the server's `retry:`, if it sent one. */
  readonly baseMs: number
  /** `Retry-After`: the earliest time; the spread comes on top. */
  readonly notBeforeMs: number
}

/** A person may be looking at a page that says that the connection is lost, so waits stay short. */
const ceilingMs = 10_000

/** The shortest wait, so that no mistake elsewhere causes a tight loop. */
const floorMs = 100

/**
 * Full jitter from the first retry on: all clients that lost the same server come back spread over
 * the whole window. `chance` is in [0, 1).
 */
export function backoffMs({ tries, baseMs, notBeforeMs }: Backoff, chance: number): number {
  const window = Math.min(ceilingMs, baseMs * 2 ** Math.min(tries, 16))
  return Math.round(notBeforeMs + floorMs + chance * Math.max(0, window - floorMs))
}
