import type { Instant } from '@settlewire/core/instant'

/** An item in the queue, as a handle to remove it. */
export interface QueueEntry<Item> {
  readonly at: Instant
  readonly item: Item
}

interface HeapEntry<Item> extends QueueEntry<Item> {
  isGone: boolean
}

/**
 * The heap is rebuilt when more than this many of its entries, and more than half, were removed.
 */
const goneMin = 64

/**
 * Items ordered by their instants, as a binary heap. Adding and taking cost a logarithm. A removed
 * item is only marked, and dropped when it reaches the top or the heap is rebuilt.
 */
export class SoonestFirst<Item> {
  #heap: HeapEntry<Item>[] = []
  #gone = 0

  /** The number of items. */
  get size(): number {
    return this.#heap.length - this.#gone
  }

  add(at: Instant, item: Item): QueueEntry<Item> {
    const entry: HeapEntry<Item> = { at, item, isGone: false }
    this.#heap.push(entry)
    this.#rise(this.#heap.length - 1)
    return entry
  }

  /** Removes an entry that `add` returned, unless it was taken already. */
  remove(entry: QueueEntry<Item>): void {
    const held = entry as HeapEntry<Item> // as `add` made it
    if (held.isGone) return
    held.isGone = true
    this.#gone += 1
    if (this.#gone <= goneMin || this.#gone <= this.#heap.length / 2) return
    const kept = this.#heap.filter(({ isGone }) => !isGone)
    this.#heap = kept.sort((a, b) => a.at - b.at)
    this.#gone = 0
  }

  /** The earliest instant; infinity when the queue is empty. */
  get soonest(): Instant {
    this.#dropGone()
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY
  }

  /** Takes the first item if its instant is before this one; else null. */
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

  #pop(): HeapEntry<Item> | null {
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
