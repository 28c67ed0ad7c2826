import { FeedOrder } from './feed-order.ts'
import { eventName, type Finding, feedName } from './finding.ts'
import { type Row, textOf } from './source.ts'

/** Beyond it a bit for each would be too much memory: 512 MB. */
const positionMax = 2 ** 32

/** The positions that were seen of one feed: one bit each, so that millions fit. */
class Positions {
  readonly feed: Row
  readonly order = new FeedOrder()
  #bits = new Uint8Array(1_024)
  #last = 0

  constructor(feed: Row) {
    this.feed = feed
  }

  get last(): number {
    return this.#last
  }

  /** False when it was seen before. */
  add(position: number): boolean {
    const at = Math.floor(position / 8)
    if (at >= this.#bits.length) {
      const bits = new Uint8Array(Math.max(at + 1, this.#bits.length * 2))
      bits.set(this.#bits)
      this.#bits = bits
    }
    const bit = 1 << (position & 7)
    const isNew = ((this.#bits[at] ?? 0) & bit) === 0
    this.#bits[at] = (this.#bits[at] ?? 0) | bit
    this.#last = Math.max(this.#last, position)
    return isNew
  }

  /** The first of 1 to `last` that was not seen, or null. */
  missing(last: number): number | null {
    for (let position = 1; position <= last; position++) {
      if (((this.#bits[Math.floor(position / 8)] ?? 0) & (1 << (position & 7))) === 0)
        return position
    }
    return null
  }
}

/** Positions are 1..n in every feed, its counter stands at n, and its seal is that of this order. */
export class FeedCheck {
  readonly #feeds = new Map<string, Positions>()
  readonly #find: (finding: Finding) => void

  constructor(find: (finding: Finding) => void) {
    this.#find = find
  }

  place(row: Row): void {
    const key = keyOf(row)
    let feed = this.#feeds.get(key)
    if (feed === undefined) {
      feed = new Positions(row)
      this.#feeds.set(key, feed)
    }
    const position = Number(row.position)
    if (!(position >= 1 && position <= positionMax)) {
      this.#find({ where: eventName(row), what: 'no feed has such a position' })
    } else if (!feed.add(position)) {
      this.#find({ where: eventName(row), what: 'another event has its position' })
    } else {
      feed.order.add(position, sealIn(row))
    }
  }

  /** `counters` are the rows of `merchant_feed`. */
  end(counters: readonly Row[]): void {
    const last = new Map(counters.map((row) => [keyOf(row), row]))
    for (const [key, positions] of this.#feeds) {
      const counter = last.get(key)
      last.delete(key)
      this.#check(counter ?? positions.feed, positions, Number(counter?.position ?? 0))
    }
    // A feed that was given positions, and of which no event is left.
    for (const row of last.values()) this.#check(row, new Positions(row), Number(row.position))
  }

  #check(feed: Row, positions: Positions, counter: number): void {
    const where = feedName(feed)
    const gap = positions.missing(Math.max(counter, positions.last))
    if (gap !== null) this.#find({ where, what: `the event at position ${gap} is missing` })
    else if (counter !== positions.last) {
      const what = `it has ${positions.last} events, its counter stands at ${counter}`
      this.#find({ where, what })
    } else if (positions.order.end(counter) !== sealIn(feed)) {
      const what = 'its seal is not that of its events in this order: some have changed places'
      this.#find({ where, what })
    }
  }

  get size(): number {
    return this.#feeds.size
  }
}

/** Without the `\x` that PostgreSQL prints before the digits. */
const sealIn = (row: Row): string => textOf(row, 'seal').slice(2)

const keyOf = (row: Row): string => `${textOf(row, 'merchant_id')} ${textOf(row, 'livemode')}`
