import { nextTick } from 'node:process'
import type { Clock } from '../../ports/clock.ts'

/** How long tasks run before the event loop takes new connections and bytes again. */
const turnMs = 5
/**
 * How long tasks wait while connections keep coming. The loop takes one connection per round, so
 * tasks of 2 ms between them would keep a queue of 500 waiting for a second.
 */
const heldMsMax = 50

/**
 * How many waiting tasks run in a turn. What they read and send later comes on top of the turn: with
 * 64 of them 500 pipelining clients made a round of the loop 25 ms long, with 4 it is 2 ms.
 */
const tasksMax = 4

/**
 * Runs tasks at once while there is time in this turn of the event loop, and the rest in later
 * turns, first come, first served. So a thousand simultaneous requests never block the loop for
 * others. While connections come, a turn waits for them, and then runs one task only.
 */
export class LoopTurns {
  readonly #clock: Pick<Clock, 'now' | 'soon'>
  #waiting: (() => void)[] = []
  #next = 0
  #startedAt = 0
  /** When the last turn began that did not wait for connections. */
  #ranAt = 0
  /** How many more tasks may run in this turn. */
  #left = 0
  #isScheduled = false
  #isRunning = false
  #isKnocked = false

  constructor(clock: Pick<Clock, 'now' | 'soon'>) {
    this.#clock = clock
  }

  run(task: () => void): void {
    if (!this.#isScheduled) this.#schedule()
    const isFirst = !this.#isRunning && this.#next === this.#waiting.length
    if (isFirst && this.#hasTime() && !this.#mustWait()) task()
    else this.#waiting.push(task)
  }

  /** A connection was accepted: more may come, so tasks wait. */
  knock(): void {
    this.#isKnocked = true
  }

  #hasTime(): boolean {
    return this.#clock.now() - this.#startedAt < turnMs
  }

  #mustWait(): boolean {
    return this.#isKnocked && this.#clock.now() - this.#ranAt < heldMsMax
  }

  #schedule(): void {
    this.#isScheduled = true
    this.#startedAt = this.#clock.now()
    this.#clock.soon(() => this.#turn())
  }

  #turn(): void {
    const mustWait = this.#mustWait()
    this.#left = this.#isKnocked ? 1 : tasksMax
    this.#isKnocked = false
    if (mustWait) {
      this.#end()
      return
    }
    this.#startedAt = this.#clock.now()
    this.#ranAt = this.#startedAt
    this.#runNext()
  }

  #runNext(): void {
    const task = this.#waiting[this.#next]
    if (task !== undefined) {
      this.#next++
      this.#left--
      this.#isRunning = true
      task()
      this.#isRunning = false
    }
    afterPromises(() => {
      const isMore = this.#left > 0 && this.#next < this.#waiting.length
      if (isMore && this.#hasTime()) this.#runNext()
      else this.#end()
    })
  }

  #end(): void {
    if (this.#next === this.#waiting.length || this.#next >= 1_000) {
      this.#waiting = this.#waiting.slice(this.#next)
      this.#next = 0
    }
    this.#isScheduled = false
    if (this.#waiting.length > 0) this.#schedule()
  }
}

/**
 * Calls `call` when all promises that are settled by now, and those that they settle, have run: so
 * what a task starts (a whole answer) counts in its turn. Node runs a tick that is set in a promise
 * after all promises, and one that is set in a tick before them.
 */
function afterPromises(call: () => void): void {
  queueMicrotask(() => nextTick(call))
}
