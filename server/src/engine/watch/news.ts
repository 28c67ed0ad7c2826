import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { StoredEvent } from '../../ports/history.ts'
import type { FeedEntry, FeedKey, Feeds, ForeignSubject } from '../../ports/processes.ts'
import type { Stop } from '../../ports/stop.ts'
import type { PaymentWriter, Writer } from '../write/writer.ts'
import type { WatchIndex } from './watch-index.ts'

export interface NewsOptions {
  readonly store: Feeds
  /** The writer of all kinds. */
  readonly all: Pick<Writer, 'forget' | 'onCommit'>
  readonly writer: Pick<PaymentWriter, 'reload'>
  readonly index: WatchIndex
}

/** What other processes committed, one page of one feed. */
export interface ForeignNews {
  readonly subjects: readonly ForeignSubject[]
  /** The payments among the subjects, as they stand now, without those that cannot be read. */
  readonly payments: readonly Payment[]
}

/** How far one feed was read here. */
interface FeedProgress extends FeedKey {
  /** Every event up to this position was read, or was committed here. */
  position: number
  /** Positions after it that were committed here. */
  readonly own: Set<number>
}

const pageMax = 1_000

/**
 * Finds the events that this process did not commit, or does not know that it committed: those of
 * other processes, of an earlier process that was killed, and its own when the store's answer was
 * lost. It reads the feed of each merchant by position. Feeds have no gaps and are in the order of
 * commit, so no event is missed. Events of every kind are read; payments also go to the watch
 * index.
 */
export class News {
  readonly #options: NewsOptions
  readonly #feeds = new Map<string, FeedProgress>()
  readonly #listeners = new Set<(news: ForeignNews) => void>()
  readonly #stop: Stop
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  constructor(options: NewsOptions) {
    this.#options = options
    this.#stop = options.all.onCommit((events) => {
      for (const event of events) this.#own(event)
    })
  }

  /**
   * Events committed after this call are found later; the caller reads open payments when it has
   * resolved.
   */
  async start(): Promise<void> {
    for (const feed of await this.#options.store.feeds(-1)) {
      this.#known(feed).position = feed.position
    }
  }

  /** Called when the caches are dropped and the payments are in the watch index. */
  onNews(listener: (news: ForeignNews) => void): Stop {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /**
   * Resolves when every event that any process committed before the call was read. Rejects when the
   * store does not answer; the next call reads on from there.
   */
  read(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#read().finally(() => {
        this.#running = null
      })
      return this.#running
    }
    // The read under way may have begun before this commit: one more read serves all waiting callers.
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = null
        return this.read()
      })
    return this.#next
  }

  /** Takes payments out of the index whose watch another process has ended. */
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

  async #readPage(known: FeedProgress, end: number): Promise<void> {
    const { store, all } = this.#options
    const { merchantId, livemode } = known
    const page = await store.entries(known, known.position, pageMax)
    const foreign = page.filter(({ position }) => !known.own.has(position))
    const subjects = lastOfEach(foreign).map((last) => ({ ...last, merchantId, livemode }))
    all.forget(subjects.map(({ subject }) => subject))
    const payments = await this.#readPayments(foreign)
    this.#advance(known, page.at(-1)?.position ?? end)
    if (subjects.length === 0) return
    for (const listener of this.#listeners) listener({ subjects, payments })
  }

  /** Reloads the payments among these entries and records them in the watch index. */
  async #readPayments(entries: readonly FeedEntry[]): Promise<readonly Payment[]> {
    const { writer, index } = this.#options
    const ofPayments = entries.filter(({ subject }) => subject.kind === paymentKind.name)
    if (ofPayments.length === 0) return []
    const payments = await writer.reload([...new Set(ofPayments.map(idOf))])
    const opened = new Set(ofPayments.filter(({ sequence }) => sequence === 1).map(idOf))
    for (const payment of payments) {
      const { id, livemode, terms } = payment
      if (opened.has(id)) index.watch(id, { livemode, accept: terms.accept })
      index.record(payment)
    }
    return payments
  }

  #own({ merchantId, livemode, position }: StoredEvent): void {
    const known = this.#known({ merchantId, livemode })
    if (position > known.position) known.own.add(position)
    this.#advance(known, known.position)
  }

  /** Passes everything up to `position`, and what this process committed directly after it. */
  #advance(known: FeedProgress, position: number): void {
    for (let passed = known.position + 1; passed <= position; passed++) known.own.delete(passed)
    known.position = Math.max(known.position, position)
    while (known.own.delete(known.position + 1)) known.position++
  }

  #known({ merchantId, livemode }: FeedKey): FeedProgress {
    const name = `${merchantId} ${livemode}`
    const known = this.#feeds.get(name)
    if (known !== undefined) return known
    const made = { merchantId, livemode, position: 0, own: new Set<number>() }
    this.#feeds.set(name, made)
    return made
  }
}

const idOf = ({ subject }: FeedEntry): string => subject.id

/** The last entry of each subject. An id belongs to one kind only. */
const lastOfEach = (entries: readonly FeedEntry[]): readonly FeedEntry[] => [
  ...new Map(entries.map((entry) => [idOf(entry), entry])).values(),
]
