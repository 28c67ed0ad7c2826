import { FeedOrder } from './feed-order.ts'
import { type AuditFinding, eventName, feedName } from './finding.ts'
import { type AuditRow, textOf } from './source.ts'

/** The largest position that is checked: one bit for each takes at most 512 MB. */
const positionMax = 2 ** 32

/** The positions seen in one feed: one bit each, so that millions fit in memory. */
class Positions {
  readonly feed: AuditRow
  readonly order = new FeedOrder()
  #bits = new Uint8Array(1_024)
  #last = 0

  constructor(feed: AuditRow) {
    this.feed = feed
  }

  get last(): number {
    return this.#last
  }

  /** Returns false if the position was added before. */
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

  /** The first position from 1 to `last` that was not added, or null. */
  missing(last: number): number | null {
    for (let position = 1; position <= last; position++) {
      if (((this.#bits[Math.floor(position / 8)] ?? 0) & (1 << (position & 7))) === 0)
        return position
    }
    return null
  }
}

/** Checks each feed: positions are 1..n, its counter is at n, and its seal matches this order. */
export class FeedCheck {
  readonly #feeds = new Map<string, Positions>()
  readonly #find: (finding: AuditFinding) => void

  constructor(find: (finding: AuditFinding) => void) {
    this.#find = find
  }

  place(row: AuditRow): void {
    const key = keyOf(row)
    let feed = this.#feeds.get(key)
    if (feed === undefined) {
      feed = new Positions(row)
      this.#feeds.set(key, feed)
    }
    const position = Number(row.position)
    if (!(position >= 1 && position <= positionMax)) {
      this.#find({ where: eventName(row), what: 'its position is out of range' })
    } else if (!feed.add(position)) {
      this.#find({ where: eventName(row), what: 'another event of the feed has the same position' })
    } else {
      feed.order.add(position, sealIn(row))
    }
  }

  /** `counters` are the rows of `merchant_feed`. */
  end(counters: readonly AuditRow[]): void {
    const last = new Map(counters.map((row) => [keyOf(row), row]))
    for (const [key, positions] of this.#feeds) {
      const counter = last.get(key)
      last.delete(key)
      this.#check(counter ?? positions.feed, positions, Number(counter?.position ?? 0))
    }
    // A feed whose counter counts events, but of which no event is left.
    for (const row of last.values()) this.#check(row, new Positions(row), Number(row.position))
  }

  #check(feed: AuditRow, positions: Positions, counter: number): void {
    const where = feedName(feed)
    const gap = positions.missing(Math.max(counter, positions.last))
    if (gap !== null) this.#find({ where, what: `the event at position ${gap} is missing` })
    else if (counter !== positions.last) {
      const what = `it has ${positions.last} events, but its counter is at ${counter}`
      this.#find({ where, what })
    } else if (positions.order.end(counter) !== sealIn(feed)) {
      const what = 'its seal does not match the order of its events: some have changed places'
      this.#find({ where, what })
    }
  }

  get size(): number {
    return this.#feeds.size
  }
}

/** The seal without the `\x` that PostgreSQL prints before the digits. */
const sealIn = (row: AuditRow): string => textOf(row, 'seal').slice(2)

const keyOf = (row: AuditRow): string => `${textOf(row, 'merchant_id')} ${textOf(row, 'livemode')}`
