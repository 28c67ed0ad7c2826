/** How long to wait before trying again. All in milliseconds. */
export interface Backoff {
  /** Tries that came to nothing since the last one that lasted; 0 before the first retry. */
  readonly tries: number
  /** Where the spread starts from: the server's `retry:`, if it sent one. */
  readonly baseMs: number
  /** `Retry-After`: not before that, and then spread. */
  readonly notBeforeMs: number
}

/** Somebody may be looking at a page that says that the connection is lost. */
const ceilingMs = 10_000

/** No wait is shorter, so that no mistake anywhere becomes a tight loop. */
const floorMs = 100

/**
 * Full jitter, from the first retry on: everybody who lost the same server comes back spread over
 * the whole window. `chance` is in [0, 1).
 */
export function backoffMs({ tries, baseMs, notBeforeMs }: Backoff, chance: number): number {
  const window = Math.min(ceilingMs, baseMs * 2 ** Math.min(tries, 16))
  return Math.round(notBeforeMs + floorMs + chance * Math.max(0, window - floorMs))
}
