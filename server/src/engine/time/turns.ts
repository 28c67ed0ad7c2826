import { Failure } from '@settlewire/core/errors'

export interface TurnsLimits {
  /** Pieces of work that run at once. */
  readonly atOnceMax: number
  /** Pieces that wait for one of these to end; one more is refused. */
  readonly waitingMax: number
}

/** Work that costs others something, such as requests to nodes: in the order of asking, few at a time. */
export class Turns {
  readonly #limits: TurnsLimits
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limits: TurnsLimits) {
    this.#limits = limits
  }

  /** Does the work when its turn has come. Throws `overloaded` when too much waits already. */
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
      // The place goes to the next one without being free in between.
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}
