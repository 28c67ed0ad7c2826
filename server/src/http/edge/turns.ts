import type { Clock } from '../../ports/clock.ts'

/** Work done in one go before the event loop looks for new connections and new bytes again. */
const turnMs = 5
/** While connections come: the loop takes a single one each time that it looks, and more may wait. */
const knockedTurnMs = 1
/** More than fit into a turn. */
const tasksMax = 64

/**
 * Does work at once while there is time in this turn of the event loop, and the rest in the next turns,
 * first come, first served. A thousand clients that ask at once then never keep the loop from others.
 * Each task of a turn is a call of the loop of its own, so that what the task sets in motion, the
 * promises of a whole answer, has run before the time is looked at for the next one.
 */
export class Turns {
  readonly #clock: Pick<Clock, 'now' | 'after'>
  #waiting: (() => void)[] = []
  #next = 0
  #startedAt = 0
  /** Calls of this turn that are still to come; 0 while no turn is due. */
  #calls = 0
  #hasBegun = false
  #isRunning = false
  #isKnocked = false

  constructor(clock: Pick<Clock, 'now' | 'after'>) {
    this.#clock = clock
  }

  run(task: () => void): void {
    if (this.#calls === 0) this.#schedule()
    const isFree = !this.#isRunning && this.#next === this.#waiting.length && this.#hasTime()
    if (isFree) task()
    else this.#waiting.push(task)
  }

  /** A connection was taken: the next turn is a short one. */
  knock(): void {
    this.#isKnocked = true
  }

  #hasTime(): boolean {
    return this.#clock.now() - this.#startedAt < (this.#isKnocked ? knockedTurnMs : turnMs)
  }

  #schedule(): void {
    this.#startedAt = this.#clock.now()
    this.#hasBegun = false
    this.#calls = Math.max(1, Math.min(tasksMax, this.#waiting.length - this.#next))
    for (let call = 0; call < this.#calls; call++) this.#clock.after(0, () => this.#call())
  }

  #call(): void {
    if (!this.#hasBegun) this.#startedAt = this.#clock.now()
    const task = this.#waiting[this.#next]
    if (task !== undefined && (!this.#hasBegun || this.#hasTime())) {
      this.#next++
      this.#isRunning = true
      task()
      this.#isRunning = false
    }
    this.#hasBegun = true
    if (--this.#calls === 0) this.#end()
  }

  #end(): void {
    this.#isKnocked = false
    if (this.#next === this.#waiting.length || this.#next >= 1_000) {
      this.#waiting = this.#waiting.slice(this.#next)
      this.#next = 0
    }
    if (this.#waiting.length > 0) this.#schedule()
  }
}
