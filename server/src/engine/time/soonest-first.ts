import type { Instant } from '@settlewire/core/instant'

/** An item in the queue; it knows whether it was taken out of turn. */
export interface Entry<Item> {
  readonly at: Instant
  readonly item: Item
}

interface Held<Item> extends Entry<Item> {
  isGone: boolean
}

/** So many entries that are gone are left where they are before the queue is made anew. */
const goneMin = 64

/**
 * Items by their instants, the soonest first: a binary heap. To put one in, or to take one out, costs
 * a logarithm; what is taken out of turn is marked, and left out when it comes up.
 */
export class SoonestFirst<Item> {
  #heap: Held<Item>[] = []
  #gone = 0

  /** Items that are there. */
  get size(): number {
    return this.#heap.length - this.#gone
  }

  add(at: Instant, item: Item): Entry<Item> {
    const entry: Held<Item> = { at, item, isGone: false }
    this.#heap.push(entry)
    this.#rise(this.#heap.length - 1)
    return entry
  }

  /** Takes out an entry that `add` returned and that has not been taken. */
  remove(entry: Entry<Item>): void {
    const held = entry as Held<Item> // as `add` made it
    if (held.isGone) return
    held.isGone = true
    this.#gone += 1
    if (this.#gone <= goneMin || this.#gone <= this.#heap.length / 2) return
    const kept = this.#heap.filter(({ isGone }) => !isGone)
    this.#heap = kept.sort((a, b) => a.at - b.at)
    this.#gone = 0
  }

  /** When the soonest is; infinity when there is none. */
  get soonest(): Instant {
    this.#dropGone()
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY
  }

  /** Takes out the soonest if it is before an instant; else null. */
  takeBefore(instant: Instant): Item | null {
    if (this.soonest >= instant) return null
    const first = this.#pop()
    if (first === null) return null
    first.isGone = true
    return first.item
  }

  #dropGone(): void {
    while (this.#heap[0]?.isGone === true) {
      this.#pop()
      this.#gone -= 1
    }
  }

  #pop(): Held<Item> | null {
    const [first] = this.#heap
    const last = this.#heap.pop()
    if (first === undefined || last === undefined) return null
    if (this.#heap.length > 0) {
      this.#heap[0] = last
      this.#sink()
    }
    return first
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1
      if (this.#at(parent) <= this.#at(at)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #sink(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const child = this.#at(left + 1) < this.#at(left) ? left + 1 : left
      if (this.#at(at) <= this.#at(child)) return
      this.#swap(at, child)
      at = child
    }
  }

  #at(place: number): Instant {
    return this.#heap[place]?.at ?? Number.POSITIVE_INFINITY
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    if (one === undefined || other === undefined) return
    this.#heap[a] = other
    this.#heap[b] = one
  }
}
