import type { PolicyAnswer } from '@settlewire/client/answers'
import { Client } from '@settlewire/client/client'
import { systemClock } from '@settlewire/client/clock'
import { type Connection, type Update, watch } from '@settlewire/client/watch'
import type { Instant } from '@settlewire/core/instant'
import { type Status, statusTable } from '@settlewire/core/status-model'
import type { PageState } from './page-state.ts'
import { applyEvent, applyResource, lacksTransaction, type Shown, shownFrom } from './payment.ts'
import { type Sight, sightsFrom } from './sight.ts'

/** What is known at a moment. A new object whenever anything changes. */
export interface Moment {
  readonly shown: Shown
  readonly connection: Connection
  readonly clockOffsetMs: number
  /** How well each accepted chain is seen. */
  readonly sights: readonly Sight[]
  /** What it waits for, and how long; null until the server has said it. */
  readonly policy: PolicyAnswer | null
}

const unconnected: Connection = {
  state: 'idle',
  transport: 'stream',
  provenAt: null,
  retryAt: null,
  reason: null,
  visibility: null,
  chains: null,
  clockOffsetMs: 0,
}

/** Where the page says how long it takes. Blocks may come many times a second: they are not asked each. */
const explained: ReadonlySet<Status> = new Set(['pending_detected', 'confirming'])
const explanationMsMin = 1_000

/** Questions carry no word on what the chains look like, so the resource is asked that often. */
const resourceMsMin = 15_000

/** The payment as it is now: what the page came with, moved on by the watch. */
export class Live {
  readonly client = new Client({ baseUrl: '' })
  readonly loadedAt: Instant = systemClock.now()
  readonly #listeners = new Set<() => void>()
  #moment: Moment
  #askedAt: Instant = 0
  #explainedAt: Instant = 0
  #isExplaining = false

  constructor(state: PageState) {
    const offsetMs = Date.parse(state.serverTime) - this.loadedAt
    this.#moment = {
      shown: shownFrom(state.payment),
      connection: unconnected,
      clockOffsetMs: Number.isFinite(offsetMs) ? offsetMs : 0,
      sights: sightsFrom(state.chains, Date.parse(state.serverTime)),
      policy: null,
    }
  }

  readonly moment = (): Moment => this.#moment

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Follows the payment until it closes. One that is closed already has nothing to follow. */
  start(): void {
    const { id, sequence, status } = this.#moment.shown.payment
    if (statusTable[status].endsStream) {
      this.#set({ connection: { ...unconnected, state: 'ended' } })
      return
    }
    void this.#explain()
    // People read where it stands, not how it got there.
    const options = { access: { baseUrl: '' }, paymentId: id, sequence, everyEvent: false }
    watch(options, (update) => this.#take(update))
  }

  #take(update: Update): void {
    if (update.kind === 'event') {
      this.#set({ shown: applyEvent(this.#moment.shown, update.event.data) })
      if (lacksTransaction(this.#moment.shown)) void this.#ask()
      void this.#explain()
      return
    }
    const { connection } = update
    const clockOffsetMs =
      connection.visibility === null ? this.#moment.clockOffsetMs : connection.clockOffsetMs
    const { chains } = connection
    const isNews = chains !== null && chains.length > 0 && chains !== this.#moment.connection.chains
    this.#set({
      ...{ connection, clockOffsetMs },
      ...(isNews && { sights: sightsFrom(chains, systemClock.now() + clockOffsetMs) }),
    })
    const isDue = systemClock.now() - this.#askedAt > resourceMsMin
    if (connection.state === 'fallback' && isDue) void this.#ask()
  }

  /** What events leave out: links to explorers, and how well the chains are seen. */
  async #ask(): Promise<void> {
    this.#askedAt = systemClock.now()
    const { id } = this.#moment.shown.payment
    const payment = await this.client.get(id).catch(() => null)
    // Not given: the events have told what matters, and the next one tries again.
    if (payment === null) return
    const { shown, connection } = this.#moment
    const { visibility } = connection.state === 'fallback' ? payment : connection
    this.#set({
      shown: applyResource(shown, payment),
      connection: { ...connection, visibility },
    })
  }

  /** While money becomes certain: what it waits for, and how long that takes by what was measured. */
  async #explain(): Promise<void> {
    const { payment } = this.#moment.shown
    if (!explained.has(payment.status) || this.#isExplaining) return
    this.#isExplaining = true
    const waitMs = Math.max(0, this.#explainedAt + explanationMsMin - systemClock.now())
    if (waitMs > 0) await new Promise<void>((resolve) => systemClock.after(waitMs, resolve))
    this.#explainedAt = systemClock.now()
    const { sequence } = this.#moment.shown.payment
    // Not given: the page has words of its own, and the next event tries again.
    const policy = await this.client.policy(payment.id).catch(() => null)
    this.#isExplaining = false
    if (policy !== null) this.#set({ policy })
    // It moved on while this was asked, or waited for.
    if (this.#moment.shown.payment.sequence !== sequence) void this.#explain()
  }

  #set(news: Partial<Moment>): void {
    this.#moment = { ...this.#moment, ...news }
    for (const listener of this.#listeners) listener()
  }
}
