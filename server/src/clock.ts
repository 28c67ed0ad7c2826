import { randomBytes, randomFillSync } from 'node:crypto'
import type { Clock } from './ports/clock.ts'
import type { Stop } from './ports/stop.ts'

/** Longer timers fire at once in Node, so a long wait is walked in strides of this. */
const strideMs = 2 ** 31 - 1

/** Strong bytes in store: each call to the system costs more than the few bytes of an id. */
const pool = new Uint8Array(8_192)
let poolUsed = pool.length

function randomOf(bytes: number): Uint8Array {
  if (bytes > pool.length) return new Uint8Array(randomBytes(bytes))
  if (poolUsed + bytes > pool.length) {
    randomFillSync(pool)
    poolUsed = 0
  }
  const from = poolUsed
  poolUsed += bytes
  const given = pool.slice(from, poolUsed)
  // No byte is given twice, nor kept here.
  pool.fill(0, from, poolUsed)
  return given
}

/** The machine's own time and chance. The only place that reads either. */
export const systemClock: Clock = {
  now: () => Date.now(),

  after(delayMs, call) {
    let timer: NodeJS.Timeout
    const arm = (restMs: number): void => {
      timer =
        restMs > strideMs
          ? setTimeout(() => arm(restMs - strideMs), strideMs)
          : setTimeout(call, Math.max(0, restMs))
      timer.unref()
    }
    arm(delayMs)
    return () => clearTimeout(timer)
  },

  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),

  random: randomOf,

  // Not from the strong source: jitter is asked for by every stream, secrets are not.
  chance: () => Math.random(),
}

/** `Clock.sleep` in terms of `Clock.after`: ends early, without a trace, when the signal aborts. */
export function sleepOn(
  clock: Pick<Clock, 'after'>,
  delayMs: number,
  signal?: AbortSignal,
): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    let stop: Stop | null = null
    const end = (): void => {
      stop?.()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    signal?.addEventListener('abort', end, { once: true })
    stop = clock.after(delayMs, end)
  })
}

/** Lets everything else that waits have its turn of the event loop. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
