import type { Clock } from '../../../ports/clock.ts'

/** Waits for a promise that never rejects, but no longer than `longestMs`. */
export async function within(
  clock: Clock,
  waited: Promise<unknown>,
  longestMs: number,
): Promise<void> {
  const late = Promise.withResolvers<void>()
  const stop = clock.after(longestMs, late.resolve)
  await Promise.race([waited, late.promise])
  stop()
}
