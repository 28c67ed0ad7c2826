import type { Log } from '../ports/log.ts'
import type { Stop } from '../ports/stop.ts'
import type { Backplane, Hint } from '../ports/topic.ts'

type Listener = (hint: Hint) => void

/** The topic of messages to oneself. Nothing that is followed has this key. */
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

  announce(hint: Hint): void {
    if (this.#listeners.has(hint.topic)) queueMicrotask(() => this.#deliver(hint))
  }

  subscribe(topic: string, listener: Listener): Stop {
    if (this.#closed) return () => undefined
    // Wrapped, so that the same function may subscribe twice and stop once.
    const entry: Listener = (hint) => listener(hint)
    const listeners = this.#listeners.get(topic) ?? new Set()
    this.#listeners.set(topic, listeners.add(entry))
    return () => {
      listeners.delete(entry)
      // Only our own set: after the last one left, a newcomer started another.
      if (listeners.size === 0 && this.#listeners.get(topic) === listeners) {
        this.#listeners.delete(topic)
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
      this.announce({ topic: probe, position: 0 })
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#listeners.clear()
  }

  #deliver(hint: Hint): void {
    for (const listener of this.#listeners.get(hint.topic) ?? []) {
      try {
        listener(hint)
      } catch (error) {
        // A bug of one listener must not make the others deaf.
        this.#log.error({ error }, 'a listener of the backplane threw')
      }
    }
  }
}
