import type { Instant } from '@settlewire/core/instant'
import { type AttemptListener, type AttemptOutcome, attempt, longPollSeconds } from './attempt.ts'
import { type Clock, type Stop, systemClock } from './clock.ts'
import { pageSignals, type Signal } from './page-signals.ts'
import { Position } from './position.ts'
import type { ServerAccess } from './request.ts'
import { RequestError } from './request-error.ts'
import { Retries } from './retries.ts'
import { type Action, type Input, next, type State } from './stream-state.ts'
import type { Transport } from './transport.ts'
import { endsWatch, isRevocable, type Until } from './until.ts'
import { Watchdog } from './watchdog.ts'
import type { ChainSight, Heartbeat, Visibility, WireEvent } from './wire-event.ts'

/** How far the shown state can be trusted. */
export interface Connection {
  readonly state: State
  /** The transport of the last proof. */
  readonly transport: Transport
  /** When an event, a heartbeat or a complete poll last confirmed the state; null before. */
  readonly provenAt: Instant | null
  /** When the next attempt or poll is due; null while one runs, or if none is scheduled. */
  readonly retryAt: Instant | null
  /**
   * The code of what interrupted the connection or ended the watch: that of a `RequestError`,
   * `gap`, `stopped`, or `internal` for a bug. Null since the last proof, if the payment closed,
   * and for interruptions without a code, such as silence.
   */
  readonly reason: string | null
  /** Whether Settlewire sees the chains; null until this connection reported it. */
  readonly visibility: Visibility | null
  /** How well each chain is seen, by the last report; null until this connection reported it. */
  readonly chains: readonly ChainSight[] | null
  /** Add this to the clock of the device to get the server's time. */
  readonly clockOffsetMs: number
}

/** An update of a watch. Events come in order, each at most once. */
export type Update =
  | {
      readonly kind: 'event'
      readonly event: WireEvent
      /** Whether it directly follows the previous event; false for a whole state. */
      readonly continuous: boolean
    }
  | { readonly kind: 'connection'; readonly connection: Connection }

export interface WatchOptions {
  readonly access: ServerAccess
  readonly paymentId: string
  /** The sequence that the caller already has, from the resource. */
  readonly sequence?: number
  /**
   * False if only the newest state matters: then each connect begins with the state. A resumed
   * stream begins with the missed events; without any, its first heartbeat confirms it, which the
   * server sends at once. True by default.
   */
  readonly everyEvent?: boolean
  /** When the watch ends by itself; `closed` by default. */
  readonly until?: Until
  readonly clock?: Clock
  /** The signals of the device; by default the page's own events. */
  readonly signals?: (listener: (signal: Signal) => void) => Stop
  /** The longest silence on a stream; the server sends a heartbeat every 15 s. */
  readonly silenceMs?: number
}

const silenceMsByDefault = 22_000
const connectMsMax = 10_000

/** The server pushes the state at once. If nothing arrives, a proxy holds it back. */
const firstEventMsMax = 5_000

/**
 * Proofs: inputs that confirm the state. On a resumed stream the first missed event is a proof,
 * although later ones may still follow. A heartbeat with a later sequence is the input `behind`.
 */
const proofs: ReadonlySet<Input> = new Set(['event', 'heartbeat', 'answered'])

/**
 * Follows one payment to its end (see `until`) over any working transport. Returns a stop function.
 */
export function watch(options: WatchOptions, listener: (update: Update) => void): Stop {
  const running = new Watch(options, listener)
  running.start()
  return () => running.stop()
}

interface RunningAttempt {
  readonly abort: AbortController
  readonly transport: Transport
  readonly begunAt: Instant
  opened: boolean
  provenAt: Instant | null
}

/** One watch: executes the actions of the state table. Ignores callbacks of dropped attempts. */
class Watch {
  readonly #options: WatchOptions
  readonly #listener: (update: Update) => void
  readonly #clock: Clock
  readonly #silenceMs: number
  readonly #position: Position
  readonly #watchdog: Watchdog
  readonly #retries = new Retries()
  #state: State = 'idle'
  #attempt: RunningAttempt | null = null
  readonly #until: Until
  /** The data of the last event; null before the first one. */
  #last: WireEvent['data'] | null = null
  #stopWaiting: Stop = () => undefined
  #stopSignals: Stop = () => undefined
  #connection: Omit<Connection, 'state'> = {
    transport: 'stream',
    provenAt: null,
    retryAt: null,
    reason: null,
    visibility: null,
    chains: null,
    clockOffsetMs: 0,
  }

  constructor(options: WatchOptions, listener: (update: Update) => void) {
    this.#options = options
    this.#listener = listener
    this.#clock = options.clock ?? systemClock
    this.#silenceMs = options.silenceMs ?? silenceMsByDefault
    this.#until = options.until ?? 'closed'
    const { sequence = 0, everyEvent = true } = options
    this.#position = new Position({ sequence, resumes: everyEvent })
    this.#watchdog = new Watchdog(this.#clock, (what) => this.#input(what))
  }

  start(): void {
    this.#stopSignals = (this.#options.signals ?? pageSignals)((signal) => this.#input(signal))
    this.#watchdog.start()
    this.#input('start')
  }

  stop(): void {
    this.#input('stop', 'stopped')
  }

  /** The only entry point of inputs. Emits a connection update after each, until `ended`. */
  #input(input: Input, reason?: string | null): void {
    if (this.#state === 'ended') return
    const { to, action } = next(this.#state, input)
    this.#state = to
    if (reason !== undefined) this.#note({ reason })
    if (proofs.has(input) && to !== 'paused') this.#proven()
    this.#act(action, input)
    const connection = { ...this.#connection, state: this.#state }
    this.#listener({ kind: 'connection', connection })
  }

  #act(action: Action, input: Input): void {
    switch (action) {
      case 'none':
        break
      case 'connect':
        this.#connect()
        break
      case 'schedule':
        this.#schedule(input)
        break
      case 'again':
        this.#askAgain()
        break
      case 'forget':
        this.#position.forget()
        break
      case 'check':
        // A heartbeat must have arrived within this time.
        if (this.#watchdog.quietMs > this.#silenceMs * 0.8) this.#input('silence')
        break
      case 'pause':
        this.#drop()
        break
      case 'close':
        this.#drop()
        this.#watchdog.stop()
        this.#stopSignals()
        break
    }
  }

  #note(news: Partial<Connection>): void {
    this.#connection = { ...this.#connection, ...news }
  }

  #proven(): void {
    const now = this.#clock.now()
    const running = this.#attempt
    if (running !== null) {
      running.provenAt ??= now
      this.#note({ transport: running.transport })
    }
    this.#watchdog.feed(this.#silenceMs)
    this.#note({ provenAt: now, reason: null })
  }

  #drop(): void {
    this.#stopWaiting()
    this.#watchdog.rest()
    this.#attempt?.abort.abort()
    this.#attempt = null
    this.#note({ retryAt: null })
  }

  #wait(waitMs: number): void {
    this.#note({ retryAt: this.#clock.now() + waitMs })
    this.#stopWaiting = this.#clock.after(waitMs, () => this.#input('due'))
  }

  #schedule(input: Input): void {
    const running = this.#attempt
    if (running !== null) {
      const { begunAt, provenAt, opened, transport } = running
      const wasMute = input === 'silence' && (opened || transport !== 'stream')
      const hasNoStream = input === 'failed' && this.#connection.reason === 'no_stream'
      const fault = hasNoStream ? 'no_stream' : wasMute ? 'mute' : null
      this.#retries.ended({ begunAt, provenAt, fault }, this.#clock.now())
    }
    this.#drop()
    this.#wait(this.#retries.waitMs(this.#clock.chance()))
  }

  #askAgain(): void {
    const now = this.#clock.now()
    const begunAt = this.#attempt?.begunAt ?? now
    const waitMs = this.#retries.answered(begunAt, now, this.#clock.chance())
    this.#drop()
    this.#wait(waitMs)
  }

  #connect(): void {
    this.#drop()
    const { transport } = this.#retries
    const abort = new AbortController()
    const begunAt = this.#clock.now()
    const running: RunningAttempt = { abort, transport, begunAt, opened: false, provenAt: null }
    this.#attempt = running
    // Visibility from an earlier connection may be outdated: clear it.
    this.#note({ visibility: null, chains: null })
    const mayBeHeld = this.#state === 'fallback'
    const heldBackMs = transport === 'long_poll' && mayBeHeld ? longPollSeconds * 1_000 : 0
    this.#watchdog.feed(connectMsMax + heldBackMs)
    this.#position.begin()
    const { access, paymentId } = this.#options
    const question = { access, paymentId, transport, until: this.#until, mayBeHeld }
    attempt(
      { ...question, position: this.#position, signal: abort.signal },
      this.#listenTo(running),
    ).then(
      (outcome) => this.#attemptEnded(running, outcome),
      (error: unknown) => this.#broken(running, error),
    )
  }

  #listenTo(running: RunningAttempt): AttemptListener {
    const ifRunning =
      <T extends unknown[]>(call: (...args: T) => void) =>
      (...args: T): void => {
        if (this.#attempt === running) call(...args)
      }
    return {
      opened: ifRunning(() => {
        running.opened = true
        this.#watchdog.feed(firstEventMsMax)
        this.#input('opened')
      }),
      retry: ifRunning((waitMs) => {
        this.#retries.askedToWait(waitMs)
        // `retry:` arrived, so no proxy buffers the stream. A resumed one may have only heartbeats.
        if (this.#position.eventId !== null) this.#watchdog.feed(this.#silenceMs)
      }),
      reset: ifRunning(() => this.#input('reset')),
      heartbeat: ifRunning((heartbeat) => this.#heartbeat(heartbeat)),
      event: ifRunning((event) => this.#event(event, running.transport)),
    }
  }

  #heartbeat({ sequence, at, visibility, chains }: Heartbeat): void {
    this.#note({ visibility, chains, clockOffsetMs: Date.parse(at) - this.#clock.now() })
    this.#input(sequence > this.#position.sequence ? 'behind' : 'heartbeat')
  }

  #event(event: WireEvent, transport: Transport): void {
    const relation = this.#position.take(event)
    if (relation === 'gap') {
      this.#input('behind', 'gap')
      return
    }
    if (relation === 'old') return
    if (relation !== 'known') {
      this.#listener({ kind: 'event', event, continuous: relation === 'next' })
    }
    this.#last = event.data
    // A poll confirms the state only when it is complete; a stream does with each event.
    if (transport !== 'stream') return
    if (this.#isFinished) this.#input('finished', null)
    else this.#input('event')
  }

  get #isFinished(): boolean {
    return this.#last !== null && endsWatch(this.#last, this.#until)
  }

  #attemptEnded(running: RunningAttempt, outcome: AttemptOutcome): void {
    if (this.#attempt !== running) return
    if (outcome === 'more') this.#connect()
    else if (this.#isFinished) this.#input('finished', null)
    else if (outcome !== 'finished') this.#input(outcome)
    // A server that does not know `until` ends the stream at the success: continue by polling.
    else if (this.#until === 'final' && this.#last !== null && isRevocable(this.#last))
      this.#input('closed')
    else this.#input('finished', null)
  }

  #broken(running: RunningAttempt, error: unknown): void {
    if (this.#attempt !== running) return
    if (!(error instanceof RequestError)) {
      // A bug here or in the listener: it must become visible, and must not cause a retry loop.
      this.#input('stop', 'internal')
      throw error
    }
    this.#retries.retryAfter(error.retryAfterMs ?? 0)
    this.#input(error.isFinal ? 'refused' : 'failed', error.code)
  }
}
