import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Stream } from './sse-stream.ts'

interface SightNewsNeeds {
  readonly clock: Clock
  readonly log: Log
  /** All open streams, in parts. */
  readonly parts: () => Iterable<Iterable<Stream>>
  /** Writes to these streams, soon, how their chains are seen then. */
  readonly tell: (streams: readonly Stream[]) => void
}

/** Of many streams so many are told in one turn, */
const sliceMax = 500
/** and then others have theirs. */
const pauseMs = 10
/** A chain that comes and goes is told of no more often than this. */
const roundMsMin = 1_000

/**
 * Tells open streams at once when a chain is seen otherwise than before, a slice of them at a time. One
 * round runs at once: what changes meanwhile is told in the next.
 */
export class SightNews {
  readonly #needs: SightNewsNeeds
  readonly #changed = new Set<string>()
  readonly #closing = new AbortController()
  #running: Promise<void> | null = null

  constructor(needs: SightNewsNeeds) {
    this.#needs = needs
  }

  /** This chain is seen otherwise now. */
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
          this.#needs.tell(slice)
          await clock.sleep(pauseMs, signal)
          if (signal.aborted) return
        }
      } catch (error) {
        log.error({ area: 'sse', error }, 'a change of sight was not told')
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
    const concerned = [...part].filter(({ start }) => start.chains.some((one) => chains.has(one)))
    for (let at = 0; at < concerned.length; at += sliceMax) {
      yield concerned.slice(at, at + sliceMax)
    }
  }
}
