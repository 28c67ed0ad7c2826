import type { Log } from '../ports/log.ts'
import type { Stop } from '../ports/stop.ts'
import type { Backplane, Hint } from '../ports/topic.ts'

type HintListener = (hint: Hint) => void

/** The topic of the backplane's messages to itself. No followed topic has this key. */
const probe = 'probe'

/**
 * The backplane of a single process. Hints are delivered in order, after `announce` has
 * returned, so that a writer never waits for subscribers.
 */
export class MemoryBackplane implements Backplane {
  readonly #listeners = new Map<string, Set<HintListener>>()
  readonly #log: Log
  #closed = false

  constructor(log: Log) {
    this.#log = log
  }

  announce(hint: Hint): void {
    if (this.#listeners.has(hint.topic)) queueMicrotask(() => this.#deliver(hint))
  }

  subscribe(topic: string, listener: HintListener): Stop {
    if (this.#closed) return () => undefined
    // Wrapped, so that the same function may subscribe twice and stop once.
    const entry: HintListener = (hint) => listener(hint)
    const listeners = this.#listeners.get(topic) ?? new Set()
    this.#listeners.set(topic, listeners.add(entry))
    return () => {
      listeners.delete(entry)
      // Only if it is our own set: after the last unsubscribe, a new subscriber created another.
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
        // An error in one listener must not stop delivery to the others.
        this.#log.error({ error }, 'a listener of the backplane threw')
      }
    }
  }
}
