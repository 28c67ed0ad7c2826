import type { Instant } from '@settlewire/core/instant'
import type { Stop } from '../../server/src/ports/stop.ts'

interface Happening {
  readonly at: number
  readonly order: number
  readonly call: () => void
  stopped: boolean
}

/**
 * The single order of all events in a world. One event runs at a time, and the next only after all
 * its consequences have settled: every promise that can continue has continued, and every real
 * operation that is awaited (`hold`) is done. So nothing depends on the speed of the machine.
 */
export class Timeline {
  /** Milliseconds since the start, monotonic: timers count these. */
  #elapsed = 0
  /** The difference to the world's time: a leap, as in a day of sleep, fires no timers. */
  #origin: Instant
  #order = 0
  #heap: Happening[] = []
  readonly #held = new Set<Promise<unknown>>()
  happened = 0

  constructor(origin: Instant) {
    this.#origin = origin
  }

  /** The true time of the world, which chains use. */
  get now(): Instant {
    return this.#origin + this.#elapsed
  }

  get elapsed(): number {
    return this.#elapsed
  }

  after(delayMs: number, call: () => void): Stop {
    const happening = {
      ...{ at: this.#elapsed + Math.max(0, delayMs), order: this.#order++ },
      ...{ call, stopped: false },
    }
    push(this.#heap, happening)
    return () => {
      happening.stopped = true
    }
  }

  /** Time stands still until this work has settled. */
  hold(work: Promise<unknown>): void {
    const held = work.then(nothing, nothing).finally(() => this.#held.delete(held))
    this.#held.add(held)
  }

  /** Moves the world's time forward at once; timers due in between fire later, as after a sleep. */
  leap(ms: number): void {
    this.#origin += ms
  }

  /** Runs everything that is due within `ms`, or until `mayStop` returns true. */
  async run(ms: number, mayStop: () => boolean = () => false): Promise<void> {
    const until = this.#elapsed + ms
    await this.#rest()
    for (;;) {
      if (mayStop()) return
      const next = this.#heap[0]
      if (next === undefined || next.at > until) break
      pop(this.#heap)
      if (next.stopped) continue
      this.#elapsed = next.at
      this.happened++
      next.call()
      await this.#rest()
    }
    this.#elapsed = until
  }

  async #rest(): Promise<void> {
    do {
      for (const held of this.#held) await held
      // Everything that can continue by itself does so before the next turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve))
    } while (this.#held.size > 0)
  }
}

const nothing = (): void => undefined

const isBefore = (a: Happening, b: Happening): boolean =>
  a.at === b.at ? a.order < b.order : a.at < b.at

function push(heap: Happening[], item: Happening): void {
  let at = heap.push(item) - 1
  while (at > 0) {
    const up = (at - 1) >> 1
    const parent = heap[up]
    if (parent === undefined || !isBefore(item, parent)) break
    heap[at] = parent
    at = up
  }
  heap[at] = item
}

function pop(heap: Happening[]): void {
  const item = heap.pop()
  if (item === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    const left = heap[2 * at + 1]
    const right = heap[2 * at + 2]
    const least = right !== undefined && left !== undefined && isBefore(right, left) ? 2 : 1
    const child = least === 2 ? right : left
    if (child === undefined || !isBefore(child, item)) break
    heap[at] = child
    at = 2 * at + least
  }
  heap[at] = item
}
