import type { Instant } from '@settlewire/core/instant'
import type { StoredEvent } from '../../ports/history.ts'
import type { Topic } from '../../ports/topic.ts'
import { Frame } from './hub-frame.ts'

const framesMax = 50
const keptMs = 30 * 60_000

/**
 * The latest frames of one topic, consecutive by position. It saves reads of the history when many
 * clients reconnect at once. It is only a cache: events that it lacks are read.
 */
export class Ring {
  readonly #positionOf: Topic['positionOf']
  #frames: readonly Frame[] = []

  constructor(positionOf: Topic['positionOf']) {
    this.#positionOf = positionOf
  }

  get frames(): readonly Frame[] {
    return this.#frames
  }

  /**
   * Wraps consecutive events in frames, reusing those already kept with their bytes. Frames
   * adjacent to the ring are added to it; newer ones behind a gap replace it.
   */
  take(events: readonly StoredEvent[], now: Instant): readonly Frame[] {
    const taken = events.map(
      (stored) => this.#kept(stored) ?? new Frame(stored, this.#positionOf(stored), now),
    )
    const [first, last] = [taken[0], taken.at(-1)]
    if (!first || !last) return taken
    const [oldest, newest] = [this.#frames[0], this.#frames.at(-1)]
    if (!oldest || !newest || first.position > newest.position + 1) {
      this.#frames = taken.slice(-framesMax)
    } else if (last.position >= oldest.position - 1) {
      const before = taken.filter(({ position }) => position < oldest.position)
      const after = taken.filter(({ position }) => position > newest.position)
      this.#frames = [...before, ...this.#frames, ...after].slice(-framesMax)
    }
    return taken
  }

  /**
   * Drops frames that are too old, and all before them: dropping too much is safe, a gap is not.
   */
  prune(now: Instant): void {
    const tooOld = this.#frames.findLastIndex(({ takenAt }) => now - takenAt > keptMs)
    if (tooOld >= 0) this.#frames = this.#frames.slice(tooOld + 1)
  }

  #kept(stored: StoredEvent): Frame | undefined {
    const first = this.#frames[0]
    return first && this.#frames[this.#positionOf(stored) - first.position]
  }
}
