import type { PolicyAnswer } from '@settlewire/client/answers'
import { systemClock } from '@settlewire/client/clock'
import { pageSignals } from '@settlewire/client/page-signals'
import type { Access } from '@settlewire/client/request'
import { endsWatch } from '@settlewire/client/until'
import { type Connection, type Update, watch } from '@settlewire/client/watch'
import type { Instant } from '@settlewire/core/instant'
import type { Status } from '@settlewire/core/payment/status-model'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import type { PageState } from './page-state.ts'
import { PayerApi } from './payer-api.ts'
import { applyEvent, applyResource, hasMoved, type Shown, shownFrom } from './payment.ts'
import { Question } from './question.ts'
import { type Sight, sightsFrom, sightsOf } from './sight.ts'

/** What is known at a moment. A new object whenever anything changes. */
export interface Moment {
  readonly shown: Shown
  readonly connection: Connection
  readonly clockOffsetMs: number
  /** How well each accepted chain is seen. */
  readonly sights: readonly Sight[]
  /** What it waits for, and how long; null until the server has said it. */
  readonly policy: Explained | null
}

/** What the server said of the wait, and when, by this device's clock. */
export interface Explained {
  readonly answer: PolicyAnswer
  readonly at: Instant
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

/** Where the page says how long it takes. */
const explained: ReadonlySet<Status> = new Set(['pending_detected', 'confirming'])

/** Answers to questions do not say how the chains are seen: without a stream the resource is read so often. */
const sightMsMax = 3_000

/** The payment as it is now: what the page came with, moved on by the watch. */
export class Live {
  readonly api: PayerApi
  readonly loadedAt: Instant = systemClock.now()
  readonly #access: Access
  readonly #listeners = new Set<() => void>()
  readonly #resource: Question<PaymentIntent>
  readonly #policy: Question<PolicyAnswer>
  #moment: Moment

  constructor(state: PageState) {
    const { payment, serverTime, clientSecret, chains, chainNames } = state
    // By header and not by cookie: browsers may refuse cookies.
    this.#access = { baseUrl: '', key: clientSecret }
    this.api = new PayerApi(this.#access, payment.id)
    const offsetMs = Date.parse(serverTime) - this.loadedAt
    this.#moment = {
      shown: shownFrom(payment, chainNames),
      connection: unconnected,
      clockOffsetMs: Number.isFinite(offsetMs) ? offsetMs : 0,
      sights: sightsFrom(chains, Date.parse(serverTime)),
      policy: null,
    }
    this.#resource = new Question(
      () => this.api.read(),
      (answer) => this.#read(answer),
    )
    this.#policy = new Question(
      () => this.api.policy(),
      (answer) => this.#set({ policy: { answer, at: systemClock.now() } }),
    )
  }

  readonly moment = (): Moment => this.#moment

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Follows the payment until nothing can change it, and looks again whenever the page is looked at. */
  start(): void {
    this.#follow()
    pageSignals((signal) => {
      if (signal === 'visible' || signal === 'restored') this.#resource.want()
    })
    this.#lookForSight()
  }

  #lookForSight(): void {
    systemClock.after(sightMsMax, () => {
      const { state } = this.#moment.connection
      if (state === 'fallback' && document.visibilityState === 'visible') this.#resource.want()
      this.#lookForSight()
    })
  }

  #follow(): void {
    const { payment } = this.#moment.shown
    if (this.#isOver(payment)) {
      this.#set({ connection: { ...unconnected, state: 'ended' } })
      return
    }
    this.#explain()
    const options = {
      ...{ access: this.#access, paymentId: payment.id, sequence: payment.sequence },
      // People read where it stands, not how it got there.
      ...{ everyEvent: false, until: 'final' as const },
    }
    watch(options, (update) => this.#take(update))
  }

  /** Whether the server has nothing more to tell: the money is final, or the watch for it is over. */
  #isOver(payment: PaymentIntent): boolean {
    const serverNow = systemClock.now() + this.#moment.clockOffsetMs
    const isPastWatch = payment.status === 'expired' && serverNow > Date.parse(payment.monitorUntil)
    return isPastWatch || endsWatch(payment, 'final')
  }

  #take(update: Update): void {
    if (update.kind === 'event') {
      const { data } = update.event
      const moved = hasMoved(this.#moment.shown, data)
      this.#set({ shown: applyEvent(this.#moment.shown, data) })
      if (moved) this.#resource.want()
      this.#explain()
      return
    }
    const { connection } = update
    const { chains, state } = connection
    const clockOffsetMs =
      connection.visibility === null ? this.#moment.clockOffsetMs : connection.clockOffsetMs
    const isNews = chains !== null && chains.length > 0 && chains !== this.#moment.connection.chains
    this.#set({
      ...{ connection, clockOffsetMs },
      ...(isNews && { sights: sightsFrom(chains, systemClock.now() + clockOffsetMs) }),
    })
    const isProven = state === 'current' || state === 'fallback'
    if (isProven && this.#resource.isOpen) this.#resource.want()
  }

  /** What events leave out: every transfer as it stands, links to explorers. */
  #read(payment: PaymentIntent): void {
    const { shown, connection } = this.#moment
    const { state } = connection
    this.#set({
      shown: applyResource(shown, payment),
      ...(state === 'fallback' && { sights: sightsOf(payment) }),
      ...(state === 'ended' && { connection: { ...connection, provenAt: systemClock.now() } }),
    })
    if (state === 'ended' && !this.#isOver(payment)) this.#follow()
  }

  /** While money becomes certain: what it waits for, and how long that takes by what was measured. */
  #explain(): void {
    if (explained.has(this.#moment.shown.payment.status)) this.#policy.want()
    else if (this.#moment.policy !== null) this.#set({ policy: null })
  }

  #set(news: Partial<Moment>): void {
    this.#moment = { ...this.#moment, ...news }
    for (const listener of this.#listeners) listener()
  }
}
