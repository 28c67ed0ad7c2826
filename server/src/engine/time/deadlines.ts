import { failedWith } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import { nextDeadline, overdue as timedOutTransactions } from '@settlewire/core/payment/deadline'
import type { Decision } from '@settlewire/core/payment/event'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { deadlineOf } from '@settlewire/core/payment/resolution'
import type { Due, EndedWatch, EventStore } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Fence } from '../../ports/processes.ts'
import type { Stop } from '../../ports/stop.ts'
import { type Judge, observe } from '../payment/observe.ts'
import type { WatchIndex } from '../watch/watch-index.ts'
import type { SomeWriter } from '../write/fenced-writer.ts'
import { TimeOuts, type TimeOutsOptions } from './time-outs.ts'
import {
  type ScannedThrough,
  type WaitingDeadline,
  WaitingDeadlines,
  wasReadPast,
} from './waiting-deadlines.ts'

export interface DeadlinesOptions extends TimeOutsOptions {
  readonly clock: Judge['clock'] & { after(delayMs: number, call: () => void): Stop }
  readonly store: Pick<EventStore, 'due' | 'nextDue' | 'release' | 'position'>
  readonly writer: SomeWriter
  readonly index: WatchIndex
  /** For each visible chain: the header time of the last block whose effects are stored. */
  readonly scannedThrough: () => ScannedThrough
  readonly log: Log
  /** The lease for ending watches; left out or null where only one process runs. */
  readonly fence?: () => Fence | null
  /** How many payments are judged at once, in one turn of the event loop. */
  readonly batchMax?: number
}

/** The longest timer, so that a clock that jumps is noticed. */
const tickMs = 5_000
/** How often all rows are read again from the first, because other processes add rows. */
const rereadMs = 60_000
/** How soon to retry after a failure of the store, or when a payment has changed meanwhile. */
const retryMs = 1_000
/** How soon to check again a payment with money on its way at the end of its watch. */
const movingRetryMs = 30_000
/** How many rows are read at once. */
const rowsMax = 500

/**
 * The result for a deadline. `met`: nothing is left to do, because the decision moved the deadline
 * or the payment is unknown. `over`: end the watch. `asks`: ask the providers about the payment.
 * `WaitingDeadline`: judge it again later.
 */
type DeadlineVerdict = 'met' | 'over' | WaitingDeadline | { readonly asks: Payment }

/** A verdict, and the sequence of the payment for which it is valid. */
interface JudgedDeadline {
  readonly verdict: DeadlineVerdict
  readonly sequence: number
}

/** Waits until the providers have answered. */
const unanswered: WaitingDeadline = { chains: [], past: 0, notBefore: Number.POSITIVE_INFINITY }

/**
 * Handles the deadlines of payments, which are rows of the store. This class reads the rows that
 * are due and keeps their payments until each is judged: in `#due` those that can be judged now, in
 * `#waiting` those that cannot. One timer wakes it for the next deadline. A deadline waits until
 * every chain of its payment has been read past it. It is not judged again before that.
 */
export class Deadlines {
  readonly #options: DeadlinesOptions
  readonly #batchMax: number
  #waiting = new WaitingDeadlines()
  readonly #timeOuts: TimeOuts
  readonly #stopListening: Stop
  /** Payments whose deadline has come, in the order in which they will be judged. */
  readonly #due = new Set<string>()
  /** Payments being judged, each with the last sequence committed meanwhile. */
  readonly #judging = new Map<string, number>()
  /** The last row that was read; null to read from the first. */
  #readTo: Due | null = null
  /** When to read all rows again, from the first. */
  #rereadAt: Instant = 0
  /** When the next sweep is due: a row, a waiting deadline or the reading of all rows. */
  #next: Instant = 0
  #stopTimer: Stop | null = null
  #sweeping: Promise<void> | null = null
  /** Whether to sweep once more after the running sweep. */
  #sweepAgain = false
  #running = false

  constructor(options: DeadlinesOptions) {
    this.#options = options
    this.#batchMax = options.batchMax ?? 100
    this.#timeOuts = new TimeOuts(options)
    this.#stopListening = options.writer.onCommit(({ states }) => this.changed(states))
  }

  /** How many deadlines have come but cannot be judged yet. */
  get waiting(): number {
    return this.#waiting.size
  }

  start(): void {
    this.#running = true
    this.#sweepSoon()
  }

  /** A chain was read further: judges the deadlines that waited for it. */
  advanced(chain: string): void {
    if (this.#waiting.hasReady(chain, this.#options.scannedThrough())) this.#sweepSoon()
  }

  /** Another process handles deadlines from now on. Resolves when a running sweep has ended. */
  async rest(): Promise<void> {
    this.#running = false
    this.#stopTimer?.()
    await this.#sweeping
    // `start` was called meanwhile, and its sweep uses the state below.
    if (this.#running) return
    this.#waiting = new WaitingDeadlines()
    this.#due.clear()
    this.#readTo = null
    this.#next = 0
  }

  /** Ends a running sweep; later deadlines wait in the store. */
  async close(): Promise<void> {
    this.#running = false
    this.#stopListening()
    this.#stopTimer?.()
    await this.#sweeping
    await this.#timeOuts.close()
  }

  /** Payments have changed, by a commit of this or another process. */
  changed(payments: readonly Payment[]): void {
    if (!this.#running) return
    for (const payment of payments) {
      const { id, sequence } = payment
      this.#waiting.delete(id)
      if (this.#judging.has(id)) this.#judging.set(id, sequence)
      const due = nextDeadline(payment)
      // Rows up to here were read already, so this one would be missed.
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
    // Add 1 ms: a deadline has passed after its instant, not at it.
    const untilNext = Math.max(0, this.#next - clock.now() + 1)
    this.#stopTimer = clock.after(Math.min(tickMs, untilNext), () => {
      if (this.#next < clock.now()) this.#sweepSoon()
      else this.#arm()
    })
  }

  #sweepSoon(): void {
    if (!this.#running) return
    this.#sweepAgain = true
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = null
    })
  }

  /** Never rejects. */
  async #sweep(): Promise<void> {
    const { clock, log } = this.#options
    while (this.#sweepAgain && this.#running) {
      this.#sweepAgain = false
      try {
        if (this.#rereadAt <= clock.now()) this.#readFromTheFirst()
        while (this.#running && (await this.#judgeSome()));
        await this.#readNext()
      } catch (error) {
        log.warn({ error }, 'deadlines could not be handled; trying again')
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
    // A commit during the read below may lower `#next`. The read must not raise it again.
    this.#next = Number.POSITIVE_INFINITY
    const nextDueAt = await store.nextDue(paymentKind.name, this.#readTo)
    const soonest = Math.min(
      nextDueAt ?? Number.POSITIVE_INFINITY,
      this.#waiting.nextByClock - 1,
      this.#rereadAt,
    )
    this.#next = Math.min(this.#next, Math.max(clock.now(), soonest))
  }

  /** Judges a batch of due deadlines. False when none was due and none can be judged now. */
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

  /** Reads due rows that were not read yet, without those that wait already. */
  async #readRows(now: Instant): Promise<void> {
    for (;;) {
      const rows = await this.#options.store.due({
        kind: paymentKind.name,
        // A deadline has passed after its instant, not at it.
        now: now - 1,
        limit: rowsMax,
        after: this.#readTo,
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
      const over: EndedWatch[] = []
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

  /** Whether a later sequence than that of the verdict was committed. */
  #hasMoved(id: string, sequence: number): boolean {
    return (this.#judging.get(id) ?? 0) > sequence
  }

  /**
   * Ends the watch of payments that did not change since they were judged. The store releases
   * no payment whose sequence has changed. `#hasMoved` finds money that was committed while the
   * store answered. Money committed later starts the watch again (`WatchIndex.record`).
   */
  async #release(over: readonly EndedWatch[]): Promise<void> {
    const { store, index, clock } = this.#options
    const held = this.#options.fence?.() ?? null
    const released = new Set(await store.release(over, held === null ? [] : [held]))
    const soon: WaitingDeadline = { chains: [], past: 0, notBefore: clock.now() + retryMs }
    for (const { paymentId, sequence } of over) {
      const isReleased = released.has(paymentId) && !this.#hasMoved(paymentId, sequence)
      if (isReleased) index.release(paymentId)
      else this.#wait(paymentId, soon)
    }
  }

  /** Runs beside the sweep, so that a slow provider delays no other deadline. */
  #ask(payment: Payment): void {
    const { id } = payment
    this.#wait(id, unanswered)
    void this.#timeOuts.ask(payment).then((retryAt) => {
      // A commit meanwhile has replaced the deadline.
      if (this.#waiting.get(id) !== unanswered) return
      const now = this.#options.clock.now()
      const notBefore = Math.min(
        retryAt,
        ...deadlinesOf(payment).filter((instant) => instant > now),
      )
      this.#wait(id, { chains: [], past: 0, notBefore })
      if (notBefore >= this.#next) return
      this.#next = notBefore
      this.#arm()
    })
  }

  #wait(id: string, waiting: WaitingDeadline): void {
    this.#waiting.add(id, waiting, this.#options.scannedThrough())
  }

  /** Never rejects: a deadline that could not be judged waits. */
  async #judge(id: string): Promise<JudgedDeadline> {
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
      log.warn({ paymentId: id, error }, 'a deadline could not be judged; trying again')
      // A payment that cannot be read stays so until the operator repairs it: retry it seldom.
      const retryAfterMs = failedWith(error, 'internal_contradiction') ? rereadMs : retryMs
      const verdict = { chains: [], past: 0, notBefore: clock.now() + retryAfterMs }
      return { verdict, sequence: Number.POSITIVE_INFINITY }
    }
  }

  #verdict({ payment, events }: Decision, now: Instant): DeadlineVerdict {
    const due = nextDeadline(payment)
    // The decision added no event and the deadline has not passed, although its row was due: this
    // process's clock went back, or the rules changed. The row stays the same, so check it later.
    const checkLater: WaitingDeadline = {
      chains: [],
      past: 0,
      notBefore: Math.min(due + 1, now + rereadMs),
    }
    if (due >= now) return events.length > 0 ? 'met' : checkLater
    const chains = [...new Set(payment.terms.accept.map((accept) => accept.chain))]
    if (timedOutTransactions(payment, now).length > 0) return { asks: payment }
    const scannedThrough = this.#options.scannedThrough()
    const isRead = chains.every((chain) => wasReadPast(chain, due, scannedThrough))
    if (!isRead) return { chains, past: due, notBefore: 0 }
    const isMoving = this.#options.index.isMoving(payment.id)
    if (due === payment.terms.monitorUntil && !isMoving) return 'over'
    return { chains, past: due, notBefore: now + movingRetryMs }
  }
}

/** The verdict for an unknown payment. */
const gone: JudgedDeadline = { verdict: 'met', sequence: 0 }

/** The instants that can change the status regardless of transactions. */
const deadlinesOf = (payment: Payment): readonly Instant[] => [
  deadlineOf(payment),
  payment.terms.monitorUntil,
]
