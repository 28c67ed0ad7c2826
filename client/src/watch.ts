import type { Instant } from '@settlewire/core/instant'
import { type AttemptListener, attempt, longPollSeconds, type Outcome } from './attempt.ts'
import { type Clock, type Stop, systemClock } from './clock.ts'
import { pageSignals, type Signal } from './page-signals.ts'
import { Position } from './position.ts'
import type { Access } from './request.ts'
import { RequestError } from './request-error.ts'
import { Retries } from './retries.ts'
import { type Action, type Input, next, type State } from './stream-state.ts'
import type { Transport } from './transport.ts'
import { endsWatch, isRevocable, type Until } from './until.ts'
import { Watchdog } from './watchdog.ts'
import type { ChainSight, Heartbeat, Visibility, WireEvent } from './wire-event.ts'

/** How far what is shown can be trusted. */
export interface Connection {
  readonly state: State
  /** By which way the last proof came. */
  readonly transport: Transport
  /** When it was last proven that nothing newer than what is held exists; null before the first proof. */
  readonly provenAt: Instant | null
  /** When the next attempt or question is due; null while one runs, or none is planned. */
  readonly retryAt: Instant | null
  /** The code of the failure since the last proof. When `ended`: why; null when the payment closed. */
  readonly reason: string | null
  /** Whether Settlewire sees the chains; null before it said so on this connection. */
  readonly visibility: Visibility | null
  /** How well each of them is seen, as last said; null before it was said on this connection. */
  readonly chains: readonly ChainSight[] | null
  /** What to add to this device's clock to get the server's. */
  readonly clockOffsetMs: number
}

/** What a watch tells. Events come in order, each once. */
export type Update =
  | {
      readonly kind: 'event'
      readonly event: WireEvent
      /** Whether it follows directly what was held: false for a state taken as a whole. */
      readonly continuous: boolean
    }
  | { readonly kind: 'connection'; readonly connection: Connection }

export interface WatchOptions {
  readonly access: Access
  readonly paymentId: string
  /** The sequence that the caller holds already, from the resource. */
  readonly sequence?: number
  /**
   * False where the newest state is all that matters: each connect then begins with it, which proves
   * at once what resuming proves with the next heartbeat. True by default.
   */
  readonly everyEvent?: boolean
  /** When the watch ends by itself; `closed` by default. */
  readonly until?: Until
  readonly clock?: Clock
  /** What the device tells of itself; by default the page's own events. */
  readonly signals?: (listener: (signal: Signal) => void) => Stop
  /** Longest quiet on a stream whose server sends a heartbeat every 15 s. */
  readonly silenceMs?: number
}

const silenceMsByDefault = 22_000
const connectMsMax = 10_000

/** The server pushes the state at once. If nothing comes, something in between holds it back. */
const firstEventMsMax = 5_000

/** What proves that nothing newer exists. */
const proofs: ReadonlySet<Input> = new Set(['event', 'heartbeat', 'answered'])

/** Follows one payment to its end (see `until`), by whatever way gets through. Returns what stops it. */
export function watch(options: WatchOptions, listener: (update: Update) => void): Stop {
  const running = new Watch(options, listener)
  running.start()
  return () => running.stop()
}

interface Attempt {
  readonly abort: AbortController
  readonly transport: Transport
  readonly begunAt: Instant
  opened: boolean
  provenAt: Instant | null
}

/** One watch: the table decides, this does. What a dropped attempt still says is not heard. */
class Watch {
  readonly #options: WatchOptions
  readonly #listener: (update: Update) => void
  readonly #clock: Clock
  readonly #silenceMs: number
  readonly #position: Position
  readonly #watchdog: Watchdog
  readonly #retries = new Retries()
  #state: State = 'idle'
  #attempt: Attempt | null = null
  readonly #until: Until
  /** Where the payment stood at the last event; null before the first. */
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

  /** The one way in. Afterwards it says once where things stand. */
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
        // Heartbeats are less than that apart.
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
    const running: Attempt = { abort, transport, begunAt, opened: false, provenAt: null }
    this.#attempt = running
    // What was heard before is no word of now.
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
      (outcome) => this.#over(running, outcome),
      (error: unknown) => this.#broken(running, error),
    )
  }

  #listenTo(running: Attempt): AttemptListener {
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
        // Nothing holds the stream back. One that resumes may have nothing to say but heartbeats.
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
    // An answer proves something as a whole, when it is over; a stream with each event.
    if (transport !== 'stream') return
    if (this.#isOver) this.#input('finished', null)
    else this.#input('event')
  }

  get #isOver(): boolean {
    return this.#last !== null && endsWatch(this.#last, this.#until)
  }

  #over(running: Attempt, outcome: Outcome): void {
    if (this.#attempt !== running) return
    if (outcome === 'more') this.#connect()
    else if (this.#isOver) this.#input('finished', null)
    else if (outcome !== 'finished') this.#input(outcome)
    // A server that does not know `until` has no more to say at the success; questions go on to ask.
    else if (this.#until === 'final' && this.#last !== null && isRevocable(this.#last))
      this.#input('closed')
    else this.#input('finished', null)
  }

  #broken(running: Attempt, error: unknown): void {
    if (this.#attempt !== running) return
    if (!(error instanceof RequestError)) {
      // A bug, here or in the listener: it must be seen, and it must not go round in circles.
      this.#input('stop', 'internal')
      throw error
    }
    this.#retries.askedToStayAway(error.retryAfterMs ?? 0)
    this.#input(error.isFinal ? 'refused' : 'failed', error.code)
  }
}
