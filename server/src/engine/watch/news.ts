import type { Payment } from '@settlewire/core/payment/payment'
import type { StoredEvent } from '../../ports/history.ts'
import type { FeedEntry, FeedKey, Feeds } from '../../ports/processes.ts'
import type { Stop } from '../../ports/stop.ts'
import type { PaymentWriter } from '../write/writer.ts'
import type { WatchIndex } from './watch-index.ts'

export interface NewsOptions {
  readonly store: Feeds
  readonly writer: Pick<PaymentWriter, 'reload' | 'onCommit'>
  readonly index: WatchIndex
}

/** A payment that moved without this process having moved it, as it stands now. */
export interface Foreign {
  readonly payment: Payment
  /** The place of its last event in the feed, as far as that was read. */
  readonly position: number
}

/** How far one feed is known here. */
interface Known extends FeedKey {
  /** Everything up to here was told. */
  position: number
  /** Of what lies further, the positions that were committed here. */
  readonly own: Set<number>
}

const pageMax = 1_000

/**
 * What was committed without this process knowing: by another one, by one that was killed before us,
 * or by ourselves when the answer was lost. It is read by position: the feeds of all merchants are
 * gapless and in the order of commit, so what is not our own in them is news, and nothing is missed.
 */
export class News {
  readonly #options: NewsOptions
  readonly #feeds = new Map<string, Known>()
  readonly #listeners = new Set<(news: readonly Foreign[]) => void>()
  readonly #stop: Stop
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  constructor(options: NewsOptions) {
    this.#options = options
    this.#stop = options.writer.onCommit(({ events }) => {
      for (const event of events) this.#own(event)
    })
  }

  /** From here on everything is news; what is open must be read after it has resolved. */
  async start(): Promise<void> {
    for (const feed of await this.#options.store.feeds(-1)) {
      this.#known(feed).position = feed.position
    }
  }

  /** Told of payments after they are in the watch index. */
  onNews(listener: (news: readonly Foreign[]) => void): Stop {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /**
   * Resolves when everything that was committed before the call, by anyone, is known here. Rejects
   * when the store does not answer; then it is read the next time.
   */
  read(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#read().finally(() => {
        this.#running = null
      })
      return this.#running
    }
    // The one under way may have looked before this call was made: one more serves all who ask now.
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = null
        return this.read()
      })
    return this.#next
  }

  /** Lets go of payments whose watch another process has ended. Each was watched here for long. */
  async release(): Promise<void> {
    const { store, index } = this.#options
    const { ids } = index
    for (let at = 0; at < ids.length; at += pageMax) {
      for (const id of await store.ended(ids.slice(at, at + pageMax))) index.release(id)
    }
  }

  close(): void {
    this.#stop()
  }

  async #read(): Promise<void> {
    let sum = 0
    for (const { position } of this.#feeds.values()) sum += position
    for (const feed of await this.#options.store.feeds(sum)) {
      const known = this.#known(feed)
      while (known.position < feed.position) await this.#readPage(known, feed.position)
    }
  }

  async #readPage(known: Known, end: number): Promise<void> {
    const { store, writer, index } = this.#options
    const after = known.position
    const page = await store.entries(known, after, pageMax)
    const foreign = page.filter(({ position }) => !known.own.has(position))
    const last = lastOfEach(foreign)
    const payments = last.size === 0 ? [] : await writer.reload([...last.keys()])
    const opened = new Set(foreign.filter(({ sequence }) => sequence === 1).map(idOf))
    for (const payment of payments) {
      const { id, livemode, terms } = payment
      if (opened.has(id)) index.watch(id, { livemode, accept: terms.accept })
      index.record(payment)
    }
    this.#advance(known, page.at(-1)?.position ?? end)
    const news = payments.map((payment) => ({ payment, position: last.get(payment.id) ?? after }))
    if (news.length > 0) for (const listener of this.#listeners) listener(news)
  }

  #own({ merchantId, livemode, position }: StoredEvent): void {
    const known = this.#known({ merchantId, livemode })
    if (position > known.position) known.own.add(position)
    this.#advance(known, known.position)
  }

  /** Everything up to `position` is known, and what we committed right after it as well. */
  #advance(known: Known, position: number): void {
    for (let passed = known.position + 1; passed <= position; passed++) known.own.delete(passed)
    known.position = Math.max(known.position, position)
    while (known.own.delete(known.position + 1)) known.position++
  }

  #known({ merchantId, livemode }: FeedKey): Known {
    const name = `${merchantId} ${livemode}`
    const known = this.#feeds.get(name)
    if (known !== undefined) return known
    const made = { merchantId, livemode, position: 0, own: new Set<number>() }
    this.#feeds.set(name, made)
    return made
  }
}

const idOf = ({ paymentId }: FeedEntry): string => paymentId

/** The last position of each payment. */
function lastOfEach(entries: readonly FeedEntry[]): ReadonlyMap<string, number> {
  const last = new Map<string, number>()
  for (const { paymentId, position } of entries) last.set(paymentId, position)
  return last
}
