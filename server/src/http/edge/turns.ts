import { nextTick } from 'node:process'
import type { Clock } from '../../ports/clock.ts'

/** How long the tasks of one round of the event loop run. */
const roundMs = 5
/**
 * How long waiting tasks are delayed while connections come. The loop accepts one connection per
 * round: if 2 ms of tasks ran in each round, the last of 500 connections would wait a second.
 */
const delayMsMax = 50
/**
 * How many waiting tasks run in a round. What their sockets read and write later is not part of
 * `roundMs`: beside 500 pipelining clients `/healthz` took 8 ms (p50) with 64 tasks, 2 ms with 4.
 */
const waitingMax = 4

/**
 * Runs tasks at once while there is time in this round of the event loop, and the rest in later
 * rounds, first come, first served. So a thousand simultaneous requests never block the loop for
 * others. While connections come, tasks wait for them, and then a round runs one task only.
 */
export class LoopTurns {
  readonly #clock: Pick<Clock, 'now' | 'soon'>
  #waiting: (() => void)[] = []
  #next = 0
  /** Tasks that wait and run before the others. */
  readonly #first: (() => void)[] = []
  /** Whether the last waiting task was one of those. */
  #wasFirst = false
  /** When the time for the tasks of this round began. */
  #startedAt = 0
  /** When a round last ran waiting tasks. */
  #ranAt = 0
  /** How many more waiting tasks may run in this round. */
  #waitingLeft = 0
  #isScheduled = false
  #isRunning = false
  #hasNewConnection = false

  constructor(clock: Pick<Clock, 'now' | 'soon'>) {
    this.#clock = clock
  }

  run(task: () => void): void {
    if (!this.#isScheduled) this.#schedule()
    if (this.#waits === 0 && this.#mayRun()) task()
    else this.#waiting.push(task)
  }

  /**
   * Like `run`, but before the tasks that wait. However many tasks of this kind there are, they get
   * only every other turn, so that no client can stop the others with them.
   */
  runFirst(task: () => void): void {
    if (!this.#isScheduled) this.#schedule()
    if (this.#first.length === 0 && this.#mayRun()) task()
    else this.#first.push(task)
  }

  /** How many tasks wait. */
  get #waits(): number {
    return this.#first.length + this.#waiting.length - this.#next
  }

  #mayRun(): boolean {
    return !this.#isRunning && this.#hasTime() && !this.#mustWait()
  }

  /** To be called for each new connection: more may come, so tasks wait. */
  connectionAccepted(): void {
    this.#hasNewConnection = true
  }

  #hasTime(): boolean {
    return this.#clock.now() - this.#startedAt < roundMs
  }

  #mustWait(): boolean {
    return this.#hasNewConnection && this.#clock.now() - this.#ranAt < delayMsMax
  }

  #schedule(): void {
    this.#isScheduled = true
    this.#startedAt = this.#clock.now()
    this.#clock.soon(() => this.#round())
  }

  #round(): void {
    const mustWait = this.#mustWait()
    this.#waitingLeft = this.#hasNewConnection ? 1 : waitingMax
    this.#hasNewConnection = false
    if (mustWait) {
      this.#end()
      return
    }
    this.#startedAt = this.#clock.now()
    this.#ranAt = this.#startedAt
    this.#runNext()
  }

  #runNext(): void {
    const task = this.#takeNext()
    if (task !== undefined) {
      this.#waitingLeft--
      this.#isRunning = true
      task()
      this.#isRunning = false
    }
    afterPromises(() => {
      const isMore = this.#waitingLeft > 0 && this.#waits > 0
      if (isMore && this.#hasTime()) this.#runNext()
      else this.#end()
    })
  }

  #takeNext(): (() => void) | undefined {
    const hasOthers = this.#next < this.#waiting.length
    this.#wasFirst = this.#first.length > 0 && !(this.#wasFirst && hasOthers)
    if (this.#wasFirst) return this.#first.shift()
    return hasOthers ? this.#waiting[this.#next++] : undefined
  }

  #end(): void {
    if (this.#next === this.#waiting.length || this.#next >= 1_000) {
      this.#waiting = this.#waiting.slice(this.#next)
      this.#next = 0
    }
    this.#isScheduled = false
    if (this.#waits > 0) this.#schedule()
  }
}

/**
 * Calls `call` after all microtasks, also those that they add, so the time of a task includes the
 * promises that it starts, such as a whole answer. A `nextTick` from a microtask runs after all
 * microtasks; one from another tick would run before them.
 */
function afterPromises(call: () => void): void {
  queueMicrotask(() => nextTick(call))
}
