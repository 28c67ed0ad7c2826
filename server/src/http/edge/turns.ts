import type { Clock } from '../../ports/clock.ts'

/** How long tasks run before the event loop takes new connections and new bytes again. */
const turnMs = 5
/** The same while connections come: the loop takes one connection per turn, and more may wait. */
const knockedTurnMs = 1
/** More tasks than fit into a turn. */
const tasksMax = 64

/**
 * Runs tasks at once while there is time in this turn of the event loop, and the rest in later
 * turns, first come, first served. So a thousand simultaneous requests never block the loop for
 * others. Each task is its own callback of the loop: the promises that it starts (a whole answer)
 * run before the time is checked for the next task.
 */
export class LoopTurns {
  readonly #clock: Pick<Clock, 'now' | 'after'>
  #waiting: (() => void)[] = []
  #next = 0
  #startedAt = 0
  /** Callbacks of this turn that did not run yet; 0 while no turn is scheduled. */
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

  /** A connection was accepted: makes the next turn a short one. */
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
