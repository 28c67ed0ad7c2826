import { statusTable } from '@settlewire/core/payment/status-model'
import { Live, type Moment } from '../../../web/src/checkout/live.ts'
import { lookOf, type PageLook } from '../../../web/src/checkout/look.ts'
import type { PageState } from '../../../web/src/checkout/page-state.ts'
import { connectionWords, words } from '../../../web/src/checkout/words.ts'
import type { Channel } from './channel.ts'
import type { Device } from './device.ts'
import { badEndOf } from './ends.ts'
import type { Reader } from './judge.ts'
import type { Network } from './network.ts'
import { howOf, listed, oncePer, type Said, unitsOf } from './said.ts'
import type { Truth } from './truth.ts'

const retryMs = 2_000
/** After this time a person reloads a page that has not loaded. */
const patienceMs = 10_000
/** The interval in which the page updates its clock. */
const tickMs = 1_000

/** The checkout page: its real state, watch and words, without a browser. */
export class PageReader implements Reader {
  readonly name = 'page'
  readonly paymentId: string
  readonly device: Device
  channel: Channel | null = null
  asked: Channel | null = null
  readonly #truth: Truth
  readonly #fetch: typeof fetch
  readonly #transfersIn = oncePer<PageState['payment']>((payment) => {
    const stand = this.#truth.standsOf(this.paymentId)[0]
    return listed(
      payment.transfers.map(({ txHash, amount, ignored }) => ({
        ...{ txHash, ignored, amount: stand ? unitsOf(amount, stand.payment) : amount },
      })),
    )
  })
  #live: Live | null = null
  #tickedAt = 0
  #rendered: { readonly moment: Moment; readonly now: number; readonly look: PageLook } | null =
    null

  constructor(paymentId: string, parts: { device: Device; network: Network; truth: Truth }) {
    const { device, network, truth } = parts
    this.paymentId = paymentId
    this.device = device
    this.#truth = truth
    this.#fetch = network.fetchOf(device, (channel, isNews) => {
      if (isNews) this.channel = channel
      else this.asked = channel
    })
  }

  /** Loads the address until the page arrives, as a person with a browser does. */
  open(): void {
    const late = new AbortController()
    const stop = this.device.clock.after(patienceMs, () => late.abort(new Error('no page came')))
    this.#fetch(`/pay/${this.paymentId}`, { signal: late.signal })
      .then(async (response) => {
        if (!response.ok) throw new TypeError('no page')
        this.#show((await response.json()) as PageState) // as the server made it
      })
      .catch(() => this.device.clock.after(retryMs, () => this.open()))
      .finally(stop)
  }

  said(): Said | null {
    const live = this.#live
    const stand = this.#truth.standsOf(this.paymentId)[0]
    if (live === null || stand === undefined) return null
    const moment = live.moment()
    const { screen, line } = this.#look(live, moment)
    const { state } = moment.connection
    const { payment } = moment.shown
    // With this label the page waits for the resource, which has the transfers and the sights.
    const isCatchingUp = line.label === connectionWords.labels.catchingUp
    const isToBePaid = screen.panel === 'pay' && payment.accept.length > 0
    return {
      // The page's own label decides: every label but these says that news may be missing.
      isCurrent: (state === 'current' || state === 'fallback') && line.look !== 'lost',
      isOver: state === 'ended',
      isAsking: state === 'fallback',
      how: howOf(moment.connection, this.device.clock.now()),
      statements: {
        status: screen.label,
        // Without a reason the page says nothing about one.
        reason: payment.reason,
        flags: payment.flags.join(' '),
        received: unitsOf(payment.amountReceived, stand.payment),
        seen: unitsOf(screen.seen, stand.payment),
        'to send': isToBePaid && screen.isPart ? unitsOf(screen.toSend, stand.payment) : null,
        final: String(
          screen.steps.some(({ name, state: at }) => name === 'final' && at === 'done'),
        ),
        transfers: isCatchingUp ? null : this.#transfersIn(payment),
      },
      blind: isCatchingUp ? null : blindOf(moment.shown.payment, screen),
    }
  }

  /** The last rendering, renewed if its state or its clock has changed. */
  #look(live: Live, moment: Moment): PageLook {
    const now = this.#tickedAt
    if (this.#rendered?.moment !== moment || this.#rendered.now !== now) {
      this.#rendered = { moment, now, look: lookOf(moment, { now, loadedAt: live.loadedAt }) }
    }
    return this.#rendered.look
  }

  badEnd(): string | null {
    const moment = this.#live?.moment()
    if (moment?.connection.state !== 'ended' || moment.connection.reason !== null) return null
    return badEndOf(moment.shown.payment, 'final')
  }

  #show(state: PageState): void {
    const { clock, signals } = this.device
    this.#live = new Live(state, { clock, signals, isLookedAt: () => true, fetch: this.#fetch })
    signals(() => {
      this.#tickedAt = clock.now()
    })
    this.#tick()
    this.#live.start()
  }

  #tick(): void {
    this.#tickedAt = this.device.clock.now()
    this.device.clock.after(tickMs, () => this.#tick())
  }
}

/** What the notes beside the status show for each chain; null if no note is due in this state. */
function blindOf(
  { accept, status, finality }: PageState['payment'],
  { sightNotes }: PageLook['screen'],
): Said['blind'] {
  const isOver = statusTable[status].life === 'closed'
  if (isOver && (status !== 'succeeded' || finality === 'final')) return null
  const chains = [...new Set(accept.map(({ chain }) => chain))]
  // A note without the name of a chain is about no particular one.
  if (sightNotes.some(({ text }) => text.includes(words.aNetwork))) return null
  const isBlind = (chain: string): boolean =>
    sightNotes.some((note) => note.isBlind && note.text.includes(chain))
  return new Map(chains.map((chain) => [chain, isBlind(chain)]))
}
