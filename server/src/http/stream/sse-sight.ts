import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Stream } from './sse-stream.ts'

interface SightNewsNeeds {
  readonly clock: Clock
  readonly log: Log
  /** All open streams, in groups. */
  readonly parts: () => Iterable<Iterable<Stream>>
  /** Sends these streams a heartbeat with the visibility of their chains. */
  readonly notify: (streams: readonly Stream[]) => void
}

/** At most so many streams are written to in one turn of the event loop. */
const sliceMax = 500
/** Pause between two slices, in which the loop serves others. */
const pauseMs = 10
/** The minimum time between two rounds, so that a flapping chain causes at most one per second. */
const roundMsMin = 1_000

/**
 * Notifies open streams at once when the visibility of a chain changes, one slice of streams at a
 * time. Only one round runs at a time: changes during a round are sent in the next.
 */
export class SightNews {
  readonly #needs: SightNewsNeeds
  readonly #changed = new Set<string>()
  readonly #closing = new AbortController()
  #running: Promise<void> | null = null

  constructor(needs: SightNewsNeeds) {
    this.#needs = needs
  }

  /** The visibility of this chain has changed. */
  changed(chain: string): void {
    if (this.#closing.signal.aborted) return
    this.#changed.add(chain)
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
  }

  close(): void {
    this.#closing.abort()
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { clock, log } = this.#needs
    const { signal } = this.#closing
    while (this.#changed.size > 0 && !signal.aborted) {
      const since = clock.now()
      const chains = new Set(this.#changed)
      this.#changed.clear()
      try {
        for (const slice of slices(this.#needs.parts(), chains)) {
          this.#needs.notify(slice)
          await clock.sleep(pauseMs, signal)
          if (signal.aborted) return
        }
      } catch (error) {
        log.error({ area: 'sse', error }, 'could not send a change of visibility')
      }
      await clock.sleep(Math.max(0, since + roundMsMin - clock.now()), signal)
    }
  }
}

/** The streams whose payment can be paid on one of these chains. */
function* slices(
  parts: Iterable<Iterable<Stream>>,
  chains: ReadonlySet<string>,
): Iterable<readonly Stream[]> {
  for (const part of parts) {
    const concerned = [...part].filter(({ start }) =>
      start.source.chains.some((one) => chains.has(one)),
    )
    for (let at = 0; at < concerned.length; at += sliceMax) {
      yield concerned.slice(at, at + sliceMax)
    }
  }
}
