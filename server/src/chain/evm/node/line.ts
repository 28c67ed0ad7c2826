import { Failure } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { Clock } from '../../../ports/clock.ts'
import type { Stop } from '../../../ports/stop.ts'
import { RefusedNow, type RpcRefusal, type WireAnswer } from './answer.ts'
import { backoffMs } from './backoff.ts'
import type { RpcConnection, RpcWire } from './connection.ts'
import type { FollowerLimits } from './limits.ts'
import { RequestRate } from './request-rate.ts'

type LineLimits = Pick<
  FollowerLimits,
  | 'inFlightMax'
  | 'laterInFlightMax'
  | 'waitingMax'
  | 'refusedWithinMs'
  | 'refusedBackoff'
  | 'unsupportedForMs'
>

/** `now`: blocks, heads and whatever decides on payments; `later`: mempool reads. */
export type Urgency = 'now' | 'later'

type LineAnswer<Result> =
  | Exclude<WireAnswer, { readonly result: unknown }>
  | { readonly result: Result }
type LineResult<Result> = Exclude<LineAnswer<Result>, { readonly refused: unknown }>

interface LineQuestion {
  readonly wire: RpcWire
  readonly method: string
  readonly urgency: Urgency
  /** The caller repeats the question itself, so the line does not. */
  readonly isOnce: boolean
  readonly since: Instant
  refusals: number
  readonly run: () => Promise<void>
  readonly fail: (failure: unknown) => void
}

/** Methods that not every node supports: a missing one is remembered, and seldom tried again. */
const optional =
  /^(eth_subscribe|eth_getBlockReceipts|eth_pendingTransactions|txpool_\w+|debug_\w+|trace_\w+)$/

/** Not retried here: `StandingSubscription` retries subscriptions, every step asks for tags. */
const onceParams = /^(eth_subscribe|eth_getBlockByNumber (safe|finalized)$)/

/**
 * All questions to one provider, by urgency, with limits on how many are in flight and how often
 * they are sent. A refused question is retried until its time is up. Outlives connections: the rate
 * that a provider accepts does not change with them.
 */
export class RequestLine {
  readonly #clock: Clock
  readonly #limits: LineLimits
  readonly #rate = new RequestRate()
  readonly #waiting: Readonly<Record<Urgency, LineQuestion[]>> = { now: [], later: [] }
  /** Methods that were refused and have not been answered since. */
  readonly #refusing = new Set<string>()
  readonly #inFlight = { now: 0, later: 0 }
  #wake: Stop | null = null

  constructor({ clock, limits }: { readonly clock: Clock; readonly limits: LineLimits }) {
    this.#clock = clock
    this.#limits = limits
  }

  /** The known limit of questions per second that the provider accepts; null when none is known. */
  get perSecond(): number | null {
    return this.#rate.perSecond
  }

  /** Sends questions over this wire through this line, with either urgency. */
  over(wire: RpcWire): Readonly<Record<Urgency, RpcConnection>> {
    const lacking = new Map<string, { readonly until: Instant; readonly answer: Declined }>()
    void wire.closed.then(() => this.#forget(wire))
    const askOnce = async <Result>(
      urgency: Urgency,
      question: { readonly method: string; readonly params: readonly unknown[] },
      send: () => Promise<LineAnswer<Result>>,
    ): Promise<LineResult<Result>> => {
      const { method } = question
      const key = method === 'eth_subscribe' ? `${method} ${question.params.join()}` : method
      const known = lacking.get(key)
      if (known !== undefined && this.#clock.now() < known.until) return known.answer
      const isOnce = onceParams.test(`${method} ${question.params[0]}`)
      const answer = await this.#ask({ wire, method, urgency, isOnce }, send)
      if ('declined' in answer && answer.declined.kind === 'unsupported' && optional.test(method)) {
        lacking.set(key, { until: this.#clock.now() + this.#limits.unsupportedForMs, answer })
      }
      return answer
    }
    const view = (urgency: Urgency): RpcConnection => ({
      closed: wire.closed,
      get open() {
        return wire.open
      },
      drop: (ending) => wire.drop(ending),
      ask: (method, params) => askOnce(urgency, { method, params }, () => wire.ask(method, params)),
      subscribe: async (params, listener, isIrrelevant) => {
        const answer = await askOnce(urgency, { method: 'eth_subscribe', params }, () =>
          wire.subscribe(params, listener, isIrrelevant),
        )
        return 'result' in answer ? answer.result : null
      },
    })
    return { now: view('now'), later: view('later') }
  }

  #ask<Result>(
    of: Pick<LineQuestion, 'wire' | 'method' | 'urgency' | 'isOnce'>,
    send: () => Promise<LineAnswer<Result>>,
  ): Promise<LineResult<Result>> {
    return new Promise((settle, fail) => {
      const question: LineQuestion = {
        ...of,
        since: this.#clock.now(),
        refusals: 0,
        fail,
        run: async () => {
          const answer = await send()
          if ('refused' in answer) return this.#refused(question, answer.refused)
          this.#refusing.delete(question.method)
          this.#rate.answered(this.#clock.now())
          settle(answer)
        },
      }
      this.#enter(question)
    })
  }

  #enter(question: LineQuestion): void {
    const { now, later } = this.#waiting
    this.#waiting[question.urgency].push(question)
    this.#next()
    if (now.length + later.length <= this.#limits.waitingMax) return
    // Drops the oldest `later` question; without one, refuses the newest urgent question.
    const over = later.shift() ?? now.pop()
    over?.fail(new Failure('chain_unavailable', 'Too many questions are waiting for the node.'))
  }

  /** Sends as many waiting questions as the limits allow. */
  #next(): void {
    const { inFlightMax, laterInFlightMax } = this.#limits
    while (this.#inFlight.now + this.#inFlight.later < inFlightMax) {
      const { now, later } = this.#waiting
      const mayLater = this.#inFlight.later < laterInFlightMax
      const waiting = now.length > 0 || !mayLater ? now : later
      if (waiting.length === 0) return
      const waitMs = this.#rate.take(this.#clock.now())
      if (waitMs > 0) {
        this.#wake ??= this.#clock.after(waitMs, () => {
          this.#wake = null
          this.#next()
        })
        return
      }
      const question = waiting.shift()
      if (question !== undefined) void this.#run(question)
    }
  }

  /** Never rejects. */
  async #run(question: LineQuestion): Promise<void> {
    this.#inFlight[question.urgency]++
    try {
      await question.run()
    } catch (error) {
      question.fail(error)
    }
    this.#inFlight[question.urgency]--
    this.#next()
  }

  #refused(question: LineQuestion, { code, againInMs }: RpcRefusal): void {
    const { refusedBackoff, refusedWithinMs } = this.#limits
    const now = this.#clock.now()
    if (againInMs !== null) this.#rate.rest(now + againInMs)
    // Repeated refusals of one method do not lower the rate again for the others.
    if (!this.#refusing.has(question.method)) this.#rate.refused(now)
    this.#refusing.add(question.method)
    const jitteredMs = backoffMs(question.refusals++, refusedBackoff, this.#clock.chance())
    const waitMs = Math.max(againInMs ?? 0, jitteredMs)
    if (question.isOnce || !question.wire.open || now + waitMs - question.since > refusedWithinMs) {
      const message = `The node refuses ${question.method} for now (code ${code}).`
      question.fail(new Failure('chain_unavailable', message, { cause: new RefusedNow() }))
    } else this.#clock.after(waitMs, () => this.#enter(question))
  }

  /** The connection ended: its waiting questions fail immediately, whatever the rate. */
  #forget(wire: RpcWire): void {
    for (const waiting of Object.values(this.#waiting)) {
      for (const question of waiting.splice(0)) {
        if (question.wire !== wire) waiting.push(question)
        else question.fail(new Failure('chain_unavailable', 'The connection to the node ended.'))
      }
    }
  }
}

type Declined = Extract<WireAnswer, { readonly declined: unknown }>
