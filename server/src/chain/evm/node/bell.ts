import type { Clock } from '../../../ports/clock.ts'

/** Wakes one waiter. A ring without a waiter is kept for the next wait; several count as one. */
export class Bell {
  #rung = false
  #wake: (() => void) | null = null

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  /** Resolves at the next ring, or after `withinMs`. */
  wait(clock: Clock, withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = clock.after(withinMs, () => this.#wake?.())
      this.#wake = () => {
        stop()
        this.#rung = false
        this.#wake = null
        resolve()
      }
      if (this.#rung) this.#wake()
    })
  }
}
