import { randomBytes, randomFillSync } from 'node:crypto'
import type { Clock } from './ports/clock.ts'
import type { Stop } from './ports/stop.ts'

/** Node fires longer timers at once, so a long wait is split into timers of this length. */
const strideMs = 2 ** 31 - 1

/** Buffered strong random bytes: one system call per id would cost more than the id itself. */
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
  // Returned bytes are erased, so that none is used twice or stays in memory.
  pool.fill(0, from, poolUsed)
  return given
}

/** The machine's time and randomness. Only this file reads them. */
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

  soon(call) {
    setImmediate(call)
  },

  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),

  random: randomOf,

  // Not from the strong source: every stream needs jitter, and it is not a secret.
  chance: () => Math.random(),
}

/** `Clock.sleep` by means of `Clock.after`: resolves early when the signal aborts. */
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

/** Resolves after all other pending work has had a turn of the event loop. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
