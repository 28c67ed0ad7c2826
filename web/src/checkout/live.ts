import type { PolicyAnswer } from '@settlewire/client/answers'
import type { ServerAccess } from '@settlewire/client/request'
import { endsWatch } from '@settlewire/client/until'
import { type Connection, type Update, watch } from '@settlewire/client/watch'
import type { Instant } from '@settlewire/core/instant'
import type { Status } from '@settlewire/core/payment/status-model'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { type Device, thisDevice } from './device.ts'
import type { PageState } from './page-state.ts'
import { PayerApi } from './payer-api.ts'
import { applyEvent, applyResource, type ShownPayment, shownFrom } from './payment.ts'
import { WantedRequest } from './question.ts'
import { type ShownSight, sightsAfter, sightsFrom } from './sight.ts'

/** The state at one moment. Every change makes a new object. */
export interface Moment {
  readonly shown: ShownPayment
  readonly connection: Connection
  readonly clockOffsetMs: number
  /** How well each accepted chain is seen. */
  readonly sights: readonly ShownSight[]
  /** Until when `sights` hold, by this device's clock. */
  readonly sightUntil: Instant
  /**
   * What the payment waits for, and how long; null until the server has sent it, and while the page
   * does not show it.
   */
  readonly policy: Explained | null
}

/** The server's explanation of the wait, and its time by this device's clock. */
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

/** The statuses in which the page shows how long it takes. */
const explained: ReadonlySet<Status> = new Set(['pending_detected', 'confirming'])

/**
 * Polls do not report how well the chains are seen, so a visible page without a stream reads the
 * resource this often.
 */
const sightMsMax = 3_000
/** How long a report from the resource holds. */
const heldMsMax = 5_000
/**
 * How long the report that came with the page holds after a connect, until the next one arrives.
 */
const unreportedMsMax = 2_500
const always = Number.POSITIVE_INFINITY

/** The current payment: the state that came with the page, updated by the watch. */
export class Live {
  readonly api: PayerApi
  readonly loadedAt: Instant
  readonly #device: Device
  readonly #access: ServerAccess
  readonly #listeners = new Set<() => void>()
  readonly #resource: WantedRequest<PaymentIntent>
  readonly #policy: WantedRequest<PolicyAnswer>
  #moment: Moment

  constructor(state: PageState, device: Device = thisDevice) {
    const { payment, serverTime, clientSecret, chains, chainNames } = state
    // A header and not a cookie, because browsers may refuse cookies.
    this.#access = { baseUrl: '', key: clientSecret, ...(device.fetch && { fetch: device.fetch }) }
    this.#device = device
    this.loadedAt = device.clock.now()
    this.api = new PayerApi(this.#access, payment.id)
    const offsetMs = Date.parse(serverTime) - this.loadedAt
    this.#moment = {
      shown: shownFrom(payment, chainNames),
      connection: unconnected,
      clockOffsetMs: Number.isFinite(offsetMs) ? offsetMs : 0,
      sights: sightsFrom(chains, Date.parse(serverTime)),
      sightUntil: always,
      policy: null,
    }
    this.#resource = new WantedRequest(
      (signal) => this.api.read(signal),
      (answer) => this.#read(answer),
      device.clock,
    )
    this.#policy = new WantedRequest(
      (signal) => this.api.policy(signal),
      (answer) => this.#set({ policy: { answer, at: device.clock.now() } }),
      device.clock,
    )
  }

  readonly moment = (): Moment => this.#moment

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Follows the payment until nothing can change it, and reads it again when the page becomes
   * visible.
   */
  start(): void {
    this.#follow()
    this.#device.signals((signal) => {
      if (signal === 'visible' || signal === 'restored') this.#resource.renew()
    })
    this.#lookForSight()
  }

  #lookForSight(): void {
    this.#device.clock.after(sightMsMax, () => {
      const { state } = this.#moment.connection
      if (state === 'fallback' && this.#device.isLookedAt()) this.#resource.want()
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
      // The page needs only the newest state, not every event.
      ...{ everyEvent: false, until: 'final' as const },
      ...{ clock: this.#device.clock, signals: this.#device.signals },
    }
    watch(options, (update) => this.#take(update))
  }

  /**
   * Whether the server will send no more events: the payment failed, was cancelled or is final, or
   * it expired and its watch has ended.
   */
  #isOver(payment: PaymentIntent): boolean {
    const serverNow = this.#device.clock.now() + this.#moment.clockOffsetMs
    const isPastWatch = payment.status === 'expired' && serverNow > Date.parse(payment.monitorUntil)
    return isPastWatch || endsWatch(payment, 'final')
  }

  #take(update: Update): void {
    if (update.kind === 'event') {
      this.#set({ shown: applyEvent(this.#moment.shown, update.event.data) })
      // Any event may have changed the list of transactions, which events do not contain.
      this.#resource.want()
      this.#explain()
      return
    }
    const { connection } = update
    const { chains, state } = connection
    const before = this.#moment.connection
    const clockOffsetMs =
      connection.visibility === null ? this.#moment.clockOffsetMs : connection.clockOffsetMs
    const isNews = chains !== null && chains.length > 0 && chains !== before.chains
    const isProven = state === 'current' || state === 'fallback'
    // A stream reports sights when they change, so a new connection must ask what changed
    // meanwhile.
    const isOther = isProven && state !== before.state
    // The page was loaded with a report, but a report from before a gap does not hold now.
    const isOld = before.provenAt !== null
    const now = this.#device.clock.now()
    this.#set({
      ...{ connection, clockOffsetMs },
      ...(isOther && { sightUntil: isOld ? 0 : now + unreportedMsMax }),
      ...(isNews && { sights: sightsFrom(chains, now + clockOffsetMs), sightUntil: always }),
    })
    if (isOther) this.#resource.renew()
    else if (isProven && this.#resource.isOpen) this.#resource.want()
  }

  /** Takes over what events do not contain: all transfers, and links to explorers. */
  #read(payment: PaymentIntent): void {
    const { shown, connection, sights } = this.#moment
    const { state, chains } = connection
    this.#set({
      shown: applyResource(shown, payment),
      ...(chains === null && { sights: sightsAfter(sights, payment) }),
      sightUntil: state === 'fallback' ? this.#device.clock.now() + heldMsMax : always,
      ...(state === 'ended' && {
        connection: { ...connection, provenAt: this.#device.clock.now() },
      }),
    })
    if (state === 'ended' && !this.#isOver(payment)) this.#follow()
  }

  /** Loads the explanation of the wait while money is being confirmed. */
  #explain(): void {
    if (explained.has(this.#moment.shown.payment.status)) this.#policy.want()
    else if (this.#moment.policy !== null) this.#set({ policy: null })
  }

  #set(news: Partial<Moment>): void {
    this.#moment = { ...this.#moment, ...news }
    for (const listener of this.#listeners) listener()
  }
}
