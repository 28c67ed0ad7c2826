/** A ceiling that doubles from `baseMs` up to `maxMs`. */
export interface Backoff {
  readonly baseMs: number
  readonly maxMs: number
}

/**
 * How long to wait before try number `attempt` (0, 1, 2 …). Full jitter, spread evenly below the
 * ceiling, so that clients of one failed node do not all reconnect in the same second.
 */
export const backoffMs = (attempt: number, backoff: Backoff, chance: number): number =>
  Math.ceil(chance * Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(attempt, 30)))
