import type { Log, Stop } from '../ports.ts'
import type { Backplane, Moved } from '../topic-ports.ts'

type Listener = (moved: Moved) => void

/** The topic of messages to oneself. No payment has this id. */
const probe = 'probe'

/**
 * The backplane of a single process. Announcements are delivered in order, after the call that made
 * them has returned: a writer never waits for those who watch.
 */
export class MemoryBackplane implements Backplane {
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #log: Log
  #closed = false

  constructor(log: Log) {
    this.#log = log
  }

  announce(moved: Moved): void {
    if (this.#listeners.has(moved.paymentId)) queueMicrotask(() => this.#deliver(moved))
  }

  subscribe(paymentId: string, listener: Listener): Stop {
    if (this.#closed) return () => undefined
    // Wrapped, so that the same function may subscribe twice and stop once.
    const entry: Listener = (moved) => listener(moved)
    const listeners = this.#listeners.get(paymentId) ?? new Set()
    this.#listeners.set(paymentId, listeners.add(entry))
    return () => {
      listeners.delete(entry)
      // Only our own set: after the last one left, a newcomer started another.
      if (listeners.size === 0 && this.#listeners.get(paymentId) === listeners) {
        this.#listeners.delete(paymentId)
      }
    }
  }

  prove(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const silent = (): void => {
        stop()
        reject(signal.reason)
      }
      const stop = this.subscribe(probe, () => {
        stop()
        signal.removeEventListener('abort', silent)
        resolve()
      })
      if (signal.aborted) silent()
      signal.addEventListener('abort', silent, { once: true })
      this.announce({ paymentId: probe, sequence: 0 })
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#listeners.clear()
  }

  #deliver(moved: Moved): void {
    for (const listener of this.#listeners.get(moved.paymentId) ?? []) {
      try {
        listener(moved)
      } catch (error) {
        // A bug of one listener must not make the others deaf.
        this.#log.error({ error }, 'a listener of the backplane threw')
      }
    }
  }
}
