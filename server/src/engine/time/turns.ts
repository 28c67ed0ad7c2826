import { Failure } from '@settlewire/core/errors'

export interface TurnsLimits {
  /** How many tasks run at once. */
  readonly atOnceMax: number
  /** How many tasks may wait; more are refused. */
  readonly waitingMax: number
}

/**
 * Runs tasks that are expensive for others, such as requests to nodes, in order and few at a time.
 */
export class Turns {
  readonly #limits: TurnsLimits
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limits: TurnsLimits) {
    this.#limits = limits
  }

  /** Runs the task when its turn comes. Throws `overloaded` when too many tasks wait already. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const { atOnceMax, waitingMax } = this.#limits
    if (this.#running < atOnceMax) this.#running += 1
    else {
      if (this.#waiting.length >= waitingMax) {
        throw new Failure('overloaded', undefined, { retryAfterSeconds: 1 })
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      // Hand the slot directly to the next task, so that no other can take it in between.
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}
