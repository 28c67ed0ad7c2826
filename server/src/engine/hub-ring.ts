import type { Instant } from '@settlewire/core/instant'
import type { StoredEvent } from '../ports.ts'
import { Frame } from './hub-frame.ts'

const framesMax = 50
const keptMs = 30 * 60_000

/**
 * The latest frames of one payment, consecutive by sequence: what spares the history a read when
 * many come back at once. It never decides anything; what it lacks is read.
 */
export class Ring {
  #frames: readonly Frame[] = []

  get frames(): readonly Frame[] {
    return this.#frames
  }

  /**
   * Consecutive events as frames, those already kept with their bytes. They join the ring when they
   * touch it; newer ones that do not touch it replace it.
   */
  take(events: readonly StoredEvent[], now: Instant): readonly Frame[] {
    const taken = events.map((stored) => this.#kept(stored) ?? new Frame(stored, now))
    const [first, last] = [taken[0], taken.at(-1)]
    if (!first || !last) return taken
    const [oldest, newest] = [this.#frames[0], this.#frames.at(-1)]
    if (!oldest || !newest || first.sequence > newest.sequence + 1) {
      this.#frames = taken.slice(-framesMax)
    } else if (last.sequence >= oldest.sequence - 1) {
      const before = taken.filter(({ sequence }) => sequence < oldest.sequence)
      const after = taken.filter(({ sequence }) => sequence > newest.sequence)
      this.#frames = [...before, ...this.#frames, ...after].slice(-framesMax)
    }
    return taken
  }

  /** Forgets what is too old, and all before it: forgetting too much is safe, a gap is not. */
  prune(now: Instant): void {
    const tooOld = this.#frames.findLastIndex(({ takenAt }) => now - takenAt > keptMs)
    if (tooOld >= 0) this.#frames = this.#frames.slice(tooOld + 1)
  }

  #kept(stored: StoredEvent): Frame | undefined {
    const first = this.#frames[0]
    return first && this.#frames[stored.sequence - first.sequence]
  }
}
