import { nextDeadline, overdue } from '@settlewire/core/deadline'
import type { Decision } from '@settlewire/core/event'
import type { Instant } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment'
import { deadlineOf } from '@settlewire/core/resolution'
import type { EventStore, Log, Stop } from '../ports.ts'
import { type Judge, observe } from './observe.ts'
import { TimeOuts, type TimeOutsOptions } from './time-outs.ts'
import type { WatchIndex } from './watch-index.ts'
import type { Writer } from './writer.ts'

export interface DeadlinesOptions extends TimeOutsOptions {
  readonly clock: Judge['clock'] & { after(delayMs: number, call: () => void): Stop }
  readonly store: Pick<EventStore, 'due' | 'nextDue' | 'release' | 'position'>
  readonly writer: Writer
  readonly index: WatchIndex
  /** Per chain that is seen the header time of the last block whose effects are stored. */
  readonly scannedThrough: () => Readonly<Record<string, Instant>>
  readonly log: Log
  /** Payments of one sweep. */
  readonly batchMax?: number
}

/** Timers are never set further than this, so that a clock that jumps is noticed. */
const tickMs = 5_000
/** The rows are asked at least this often: another process may have added an earlier one. */
const rereadMs = 60_000
/** How soon what waits, for a chain or for the store's return, is looked at again. */
const retryMs = 1_000
/** How soon money on its way past the end of the watch is looked at again. */
const movingRetryMs = 30_000

/** A deadline that has come but cannot be judged yet. */
interface Waiting {
  readonly chains: readonly string[]
  /** The instant that each of its chains must be read past. */
  readonly past: Instant
  readonly notBefore: Instant
}

/** What became of a deadline. `over` ends the watch; of a payment that `asks`, providers are asked. */
type Verdict = 'met' | 'over' | Waiting | { readonly asks: Payment }

/** Looked at again when an answer is there. */
const unanswered: Waiting = { chains: [], past: 0, notBefore: Number.POSITIVE_INFINITY }

/**
 * Lets time pass for payments. The deadlines are rows of the store; here is only an alarm for the
 * next one. Nothing expires blind: a deadline that a chain was not read past waits for the chain.
 */
export class Deadlines {
  readonly #options: DeadlinesOptions
  readonly #batchMax: number
  readonly #waiting = new Map<string, Waiting>()
  readonly #timeOuts: TimeOuts
  readonly #stopListening: Stop
  /** When the rows are to be asked again. */
  #next: Instant = 0
  #stopTimer: Stop | null = null
  #sweeping: Promise<void> | null = null
  #again = false
  #running = false

  constructor(options: DeadlinesOptions) {
    this.#options = options
    this.#batchMax = options.batchMax ?? 500
    this.#timeOuts = new TimeOuts(options)
    this.#stopListening = options.writer.onCommit(({ payments }) => this.#changed(payments))
  }

  /** How many deadlines have come but wait for a chain or for money on its way. */
  get waiting(): number {
    return this.#waiting.size
  }

  start(): void {
    this.#running = true
    this.#sweepSoon()
  }

  /** A chain was read further: what waited for it is judged again. */
  advanced(): void {
    const isAwaited = [...this.#waiting.values()].some(({ chains }) => chains.length > 0)
    // A sweep under way may have judged by what was read before, and waits in vain for this.
    if (isAwaited || this.#sweeping !== null) this.#sweepSoon()
  }

  /** Ends a sweep under way; deadlines that come later wait in the store. */
  async close(): Promise<void> {
    this.#running = false
    this.#stopListening()
    this.#stopTimer?.()
    await this.#sweeping
    await this.#timeOuts.close()
  }

  #changed(payments: readonly Payment[]): void {
    for (const payment of payments) {
      this.#waiting.delete(payment.id)
      const due = nextDeadline(payment)
      if (due < this.#next) {
        this.#next = due
        this.#arm()
      }
    }
  }

  #arm(): void {
    this.#stopTimer?.()
    this.#stopTimer = null
    if (!this.#running) return
    const { clock } = this.#options
    // A deadline has passed after its instant, not at it.
    const untilNext = Math.max(0, this.#next - clock.now() + 1)
    this.#stopTimer = clock.after(Math.min(tickMs, untilNext), () => {
      if (this.#next < clock.now()) this.#sweepSoon()
      else this.#arm()
    })
  }

  #sweepSoon(): void {
    if (!this.#running) return
    this.#again = true
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = null
    })
  }

  /** Never rejects. */
  async #sweep(): Promise<void> {
    const { clock, log } = this.#options
    while (this.#again && this.#running) {
      this.#again = false
      try {
        while (this.#running && (await this.#judgeDue()));
        await this.#readNext()
      } catch (error) {
        log.warn({ error }, 'deadlines could not be read or kept; tried again')
        this.#next = clock.now() + retryMs
      }
    }
    this.#arm()
  }

  async #readNext(): Promise<void> {
    const { clock } = this.#options
    // What is committed while the rows are read lowers this, and must not be overwritten.
    this.#next = Number.POSITIVE_INFINITY
    const earliest = await this.#readEarliest()
    const now = clock.now()
    const ready = this.#earliestWaiting(now)
    // What is due and still there waits: it must not keep the sweep going round, until it is ready.
    const soonest = this.#waiting.size > 0 && ready > now ? now + retryMs : now
    const next = Math.min(earliest, ready, now + rereadMs)
    this.#next = Math.min(this.#next, Math.max(soonest, next))
  }

  /** The earliest row that does not wait already; its time, or as late as it is asked again anyway. */
  async #readEarliest(): Promise<Instant> {
    const { clock, store } = this.#options
    if (this.#waiting.size === 0) return (await store.nextDue()) ?? Number.POSITIVE_INFINITY
    const rows = await store.due(clock.now() + rereadMs, this.#waiting.size + 1)
    const row = rows.find(({ paymentId }) => !this.#waiting.has(paymentId))
    return row?.dueAt ?? Number.POSITIVE_INFINITY
  }

  #earliestWaiting(now: Instant): Instant {
    let earliest = Number.POSITIVE_INFINITY
    for (const { chains, past, notBefore } of this.#waiting.values()) {
      // What waits for a chain is woken by it, and looked at now and then all the same.
      const ready = this.#isReadPast(chains, past) ? notBefore : now + rereadMs
      earliest = Math.min(earliest, ready)
    }
    return earliest
  }

  /** One batch of what is due. False when nothing is left but what waits. */
  async #judgeDue(): Promise<boolean> {
    const { store, clock, index } = this.#options
    const now = clock.now()
    const limit = this.#batchMax + this.#waiting.size
    const due = (await store.due(now - 1, limit)).map((row) => row.paymentId)
    if (due.length < limit) this.#forget(due)
    const ready = due.filter((id) => this.#mayJudge(id, now)).slice(0, this.#batchMax)
    const verdicts = await Promise.all(ready.map((id) => this.#judge(id)))
    const over = ready.filter((_, i) => verdicts[i] === 'over')
    verdicts.forEach((verdict, i) => {
      const id = ready[i]
      if (id === undefined) return
      if (verdict === undefined || typeof verdict === 'string') this.#waiting.delete(id)
      else if ('asks' in verdict) this.#ask(verdict.asks)
      else this.#waiting.set(id, verdict)
    })
    if (over.length > 0) await store.release(over)
    for (const id of over) index.release(id)
    return ready.length > 0
  }

  /** Not part of the sweep: a provider that takes its time holds up no other deadline. */
  #ask(payment: Payment): void {
    const { id } = payment
    this.#waiting.set(id, unanswered)
    void this.#timeOuts.ask(payment).then((again) => {
      // Whatever was committed meanwhile has put another deadline in its place.
      if (this.#waiting.get(id) !== unanswered) return
      const now = this.#options.clock.now()
      const notBefore = Math.min(again, ...deadlinesOf(payment).filter((instant) => instant > now))
      this.#waiting.set(id, { chains: [], past: 0, notBefore })
      if (notBefore >= this.#next) return
      this.#next = notBefore
      this.#arm()
    })
  }

  /** Lets go of what waits here but was judged elsewhere. */
  #forget(due: readonly string[]): void {
    const still = new Set(due)
    for (const id of this.#waiting.keys()) if (!still.has(id)) this.#waiting.delete(id)
  }

  #mayJudge(id: string, now: Instant): boolean {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return true
    return waiting.notBefore <= now && this.#isReadPast(waiting.chains, waiting.past)
  }

  #isReadPast(chains: readonly string[], instant: Instant): boolean {
    const scannedThrough = this.#options.scannedThrough()
    return chains.every((chain) => (scannedThrough[chain] ?? 0) > instant)
  }

  /** Never rejects: what could not be judged waits. */
  async #judge(id: string): Promise<Verdict> {
    const { writer, clock, log, scannedThrough } = this.#options
    try {
      return await writer.submit({
        ids: [id],
        decide: (payments) => {
          const payment = payments.get(id)
          if (payment === null) return { decisions: [], answer: 'over' }
          const read = { kind: 'clock', source: 'clock', at: clock.now() } as const
          const observations = [{ ...read, scannedThrough: scannedThrough() }]
          const decision = observe(payment, observations, this.#options)
          return { decisions: [decision], answer: this.#verdict(decision, read.at) }
        },
      })
    } catch (error) {
      log.warn({ paymentId: id, error }, 'a deadline could not be judged; tried again')
      return { chains: [], past: 0, notBefore: clock.now() + retryMs }
    }
  }

  #verdict({ payment, events }: Decision, now: Instant): Verdict {
    const due = nextDeadline(payment)
    // Without an event the row stands as it was: a clock that went back, or rules that changed.
    const stands: Waiting = { chains: [], past: 0, notBefore: now + retryMs }
    if (due >= now) return events.length > 0 ? 'met' : stands
    const chains = [...new Set(payment.terms.accept.map((accept) => accept.chain))]
    if (overdue(payment, now).length > 0) return { asks: payment }
    if (!this.#isReadPast(chains, due)) return { chains, past: due, notBefore: 0 }
    const isMoving = this.#options.index.isMoving(payment.id)
    if (due === payment.terms.monitorUntil && !isMoving) return 'over'
    return { chains, past: due, notBefore: now + movingRetryMs }
  }
}

/** The instants that its status may hang on, whatever its transactions do. */
const deadlinesOf = (payment: Payment): readonly Instant[] => [
  deadlineOf(payment),
  payment.terms.monitorUntil,
]
