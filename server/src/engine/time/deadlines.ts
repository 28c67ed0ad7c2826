import { failedWith } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import { nextDeadline, overdue } from '@settlewire/core/payment/deadline'
import type { Decision } from '@settlewire/core/payment/event'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { deadlineOf } from '@settlewire/core/payment/resolution'
import type { Due, Ended, EventStore } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Fence } from '../../ports/processes.ts'
import type { Stop } from '../../ports/stop.ts'
import { type Judge, observe } from '../payment/observe.ts'
import type { WatchIndex } from '../watch/watch-index.ts'
import type { SomeWriter } from '../write/fenced-writer.ts'
import { TimeOuts, type TimeOutsOptions } from './time-outs.ts'
import { isPast, type ScannedThrough, type Waiting, WaitingDeadlines } from './waiting-deadlines.ts'

export interface DeadlinesOptions extends TimeOutsOptions {
  readonly clock: Judge['clock'] & { after(delayMs: number, call: () => void): Stop }
  readonly store: Pick<EventStore, 'due' | 'nextDue' | 'release' | 'position'>
  readonly writer: SomeWriter
  readonly index: WatchIndex
  /** Per chain that is seen the header time of the last block whose effects are stored. */
  readonly scannedThrough: () => ScannedThrough
  readonly log: Log
  /** The lease that watches are ended under; left out or null where there is one process alone. */
  readonly fence?: () => Fence | null
  /** Payments that are judged at once: they share a turn of the event loop. */
  readonly batchMax?: number
}

/** Timers are never set further than this, so that a clock that jumps is noticed. */
const tickMs = 5_000
/** The rows are asked from the first on at least this often: another process may have added one. */
const rereadMs = 60_000
/** How soon what waits, for the store's return or for rows to move, is looked at again. */
const retryMs = 1_000
/** How soon money on its way past the end of the watch is looked at again. */
const movingRetryMs = 30_000
/** Rows that are read at once. */
const rowsMax = 500

/** What became of a deadline. `over` ends the watch; of a payment that `asks`, providers are asked. */
type Verdict = 'met' | 'over' | Waiting | { readonly asks: Payment }

/** A verdict, and the sequence of the payment that it holds for. */
interface Judged {
  readonly verdict: Verdict
  readonly sequence: number
}

/** Looked at again when an answer is there. */
const unanswered: Waiting = { chains: [], past: 0, notBefore: Number.POSITIVE_INFINITY }

/**
 * Lets time pass for payments. The deadlines are rows of the store; here is only an alarm for the
 * next one, and how far the rows were read. Nothing expires blind: a deadline that a chain was not
 * read past waits for the chain, and is not read again while it does.
 */
export class Deadlines {
  readonly #options: DeadlinesOptions
  readonly #batchMax: number
  #waiting = new WaitingDeadlines()
  readonly #timeOuts: TimeOuts
  readonly #stopListening: Stop
  /** Payments whose deadline has come, to be judged in this order. */
  readonly #due = new Set<string>()
  /** Those that are being judged, with the last sequence that was committed meanwhile. */
  readonly #judging = new Map<string, number>()
  /** The last row that was read; null when they are read from the first on. */
  #readTo: Due | null = null
  #rereadAt: Instant = 0
  /** When the rows are to be asked again. */
  #next: Instant = 0
  #stopTimer: Stop | null = null
  #sweeping: Promise<void> | null = null
  #again = false
  #running = false

  constructor(options: DeadlinesOptions) {
    this.#options = options
    this.#batchMax = options.batchMax ?? 100
    this.#timeOuts = new TimeOuts(options)
    this.#stopListening = options.writer.onCommit(({ states }) => this.changed(states))
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
  advanced(chain: string): void {
    if (this.#waiting.isAwaited(chain, this.#options.scannedThrough())) this.#sweepSoon()
  }

  /** Another process does this from now on. Resolves when a sweep under way has ended. */
  async rest(): Promise<void> {
    this.#running = false
    this.#stopTimer?.()
    await this.#sweeping
    if (this.#running) return
    this.#waiting = new WaitingDeadlines()
    this.#due.clear()
    this.#readTo = null
    this.#next = 0
  }

  /** Ends a sweep under way; deadlines that come later wait in the store. */
  async close(): Promise<void> {
    this.#running = false
    this.#stopListening()
    this.#stopTimer?.()
    await this.#sweeping
    await this.#timeOuts.close()
  }

  /** Payments have moved, here or elsewhere. */
  changed(payments: readonly Payment[]): void {
    if (!this.#running) return
    for (const payment of payments) {
      const { id, sequence } = payment
      this.#waiting.delete(id)
      if (this.#judging.has(id)) this.#judging.set(id, sequence)
      const due = nextDeadline(payment)
      // Rows up to here were read: this one would not be read again.
      if (this.#readTo !== null && due <= this.#readTo.dueAt) this.#due.add(id)
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
        if (this.#rereadAt <= clock.now()) this.#readFromTheFirst()
        while (this.#running && (await this.#judgeSome()));
        await this.#readNext()
      } catch (error) {
        log.warn({ error }, 'deadlines could not be read or kept; tried again')
        this.#next = clock.now() + retryMs
      }
    }
    this.#arm()
  }

  #readFromTheFirst(): void {
    this.#readTo = null
    this.#rereadAt = this.#options.clock.now() + rereadMs
  }

  async #readNext(): Promise<void> {
    const { clock, store } = this.#options
    // What is committed while the rows are read lowers this, and must not be overwritten.
    this.#next = Number.POSITIVE_INFINITY
    const row = (await store.nextDue(paymentKind.name, this.#readTo)) ?? Number.POSITIVE_INFINITY
    const soonest = Math.min(row, this.#waiting.nextByClock - 1, this.#rereadAt)
    this.#next = Math.min(this.#next, Math.max(clock.now(), soonest))
  }

  /** A batch of what is due. False when nothing is left but what waits. */
  async #judgeSome(): Promise<boolean> {
    const { clock, scannedThrough } = this.#options
    const now = clock.now()
    let isAll = false
    if (this.#due.size < this.#batchMax) {
      const taken = this.#waiting.takeReady(now, scannedThrough(), rowsMax)
      for (const id of taken.ready) this.#due.add(id)
      isAll = taken.isAll
    }
    if (this.#due.size < this.#batchMax) await this.#readRows(now)
    const batch = this.#takeBatch()
    if (batch.length > 0) await this.#judgeAll(batch)
    return batch.length > 0 || !isAll
  }

  #takeBatch(): readonly string[] {
    const batch: string[] = []
    for (const id of this.#due) {
      if (batch.length >= this.#batchMax) break
      batch.push(id)
      this.#due.delete(id)
    }
    return batch
  }

  /** Rows that are due and were not read yet, as far as they do not wait already. */
  async #readRows(now: Instant): Promise<void> {
    for (;;) {
      const rows = await this.#options.store.due({
        ...{ kind: paymentKind.name, now: now - 1, limit: rowsMax, after: this.#readTo },
      })
      for (const { subjectId } of rows) if (!this.#waiting.has(subjectId)) this.#due.add(subjectId)
      this.#readTo = rows.at(-1) ?? this.#readTo
      if (rows.length < rowsMax || this.#due.size >= this.#batchMax) return
    }
  }

  async #judgeAll(ids: readonly string[]): Promise<void> {
    const { scannedThrough } = this.#options
    for (const id of ids) this.#judging.set(id, 0)
    try {
      const judged = await Promise.all(ids.map((id) => this.#judge(id)))
      const over: Ended[] = []
      for (const [i, { verdict, sequence }] of judged.entries()) {
        const id = ids[i]
        if (id === undefined || verdict === 'met') continue
        if (this.#hasMoved(id, sequence)) this.#due.add(id)
        else if (verdict === 'over') over.push({ paymentId: id, sequence })
        else if ('asks' in verdict) this.#ask(verdict.asks)
        else this.#waiting.add(id, verdict, scannedThrough())
      }
      if (over.length > 0) await this.#release(over)
    } finally {
      for (const id of ids) this.#judging.delete(id)
    }
  }

  /** Whether something was committed that the verdict does not know. */
  #hasMoved(id: string, sequence: number): boolean {
    return (this.#judging.get(id) ?? 0) > sequence
  }

  /**
   * Ends the watch of those that still stand where they were judged. Money that is committed before
   * is seen by the store; money that is committed while it answers, here, before the address is
   * forgotten. That which comes after that is followed again (`WatchIndex.record`).
   */
  async #release(over: readonly Ended[]): Promise<void> {
    const { store, index, clock } = this.#options
    const held = this.#options.fence?.() ?? null
    const released = new Set(await store.release(over, held === null ? [] : [held]))
    const soon: Waiting = { chains: [], past: 0, notBefore: clock.now() + retryMs }
    for (const { paymentId, sequence } of over) {
      const stands = released.has(paymentId) && !this.#hasMoved(paymentId, sequence)
      if (stands) index.release(paymentId)
      else this.#wait(paymentId, soon)
    }
  }

  /** Not part of the sweep: a provider that takes its time holds up no other deadline. */
  #ask(payment: Payment): void {
    const { id } = payment
    this.#wait(id, unanswered)
    void this.#timeOuts.ask(payment).then((again) => {
      // Whatever was committed meanwhile has put another deadline in its place.
      if (this.#waiting.get(id) !== unanswered) return
      const now = this.#options.clock.now()
      const notBefore = Math.min(again, ...deadlinesOf(payment).filter((instant) => instant > now))
      this.#wait(id, { chains: [], past: 0, notBefore })
      if (notBefore >= this.#next) return
      this.#next = notBefore
      this.#arm()
    })
  }

  #wait(id: string, waiting: Waiting): void {
    this.#waiting.add(id, waiting, this.#options.scannedThrough())
  }

  /** Never rejects: what could not be judged waits. */
  async #judge(id: string): Promise<Judged> {
    const { writer, clock, log, scannedThrough } = this.#options
    try {
      return await writer.submit({
        ids: [id],
        decide: (payments) => {
          const payment = payments.get(id)
          if (payment === null) return { decisions: [], answer: gone }
          const read = { kind: 'clock', source: 'clock', at: clock.now() } as const
          const observations = [{ ...read, scannedThrough: scannedThrough() }]
          const decision = observe(payment, observations, this.#options)
          const { sequence } = decision.payment
          const verdict = this.#verdict(decision, read.at)
          return { decisions: [decision], answer: { verdict, sequence } }
        },
      })
    } catch (error) {
      log.warn({ paymentId: id, error }, 'a deadline could not be judged; tried again')
      // One whose stored state cannot be read stays so until a person has done something about it.
      const againMs = failedWith(error, 'internal_contradiction') ? rereadMs : retryMs
      const verdict = { chains: [], past: 0, notBefore: clock.now() + againMs }
      return { verdict, sequence: Number.POSITIVE_INFINITY }
    }
  }

  #verdict({ payment, events }: Decision, now: Instant): Verdict {
    const due = nextDeadline(payment)
    // Without an event the row stands as it was: a clock that went back, or rules that changed.
    const stands: Waiting = { chains: [], past: 0, notBefore: Math.min(due + 1, now + rereadMs) }
    if (due >= now) return events.length > 0 ? 'met' : stands
    const chains = [...new Set(payment.terms.accept.map((accept) => accept.chain))]
    if (overdue(payment, now).length > 0) return { asks: payment }
    const scannedThrough = this.#options.scannedThrough()
    const isRead = chains.every((chain) => isPast(chain, due, scannedThrough))
    if (!isRead) return { chains, past: due, notBefore: 0 }
    const isMoving = this.#options.index.isMoving(payment.id)
    if (due === payment.terms.monitorUntil && !isMoving) return 'over'
    return { chains, past: due, notBefore: now + movingRetryMs }
  }
}

/** A payment that does not exist has no deadline. */
const gone: Judged = { verdict: 'met', sequence: 0 }

/** The instants that its status may hang on, whatever its transactions do. */
const deadlinesOf = (payment: Payment): readonly Instant[] => [
  deadlineOf(payment),
  payment.terms.monitorUntil,
]
