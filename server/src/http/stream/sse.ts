import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { isId } from '@settlewire/core/id'
import type { Instant } from '@settlewire/core/instant'
import { dataOf } from '@settlewire/core/payment/event-text'
import { sseFrame } from '@settlewire/core/wire/sse'
import type { Hub } from '../../engine/topic/hub.ts'
import { paymentTopic } from '../../engine/topic/topics.ts'
import type { EventStore, StoredEvent } from '../../ports/history.ts'
import type { Metrics } from '../../ports/metrics.ts'
import type { Stop } from '../../ports/stop.ts'
import type { Refused } from '../key-watch.ts'
import { type HeartbeatNeeds, Heartbeats } from './sse-heartbeat.ts'
import { headersOf, headOf } from './sse-socket.ts'
import { type Ending, Stream, type StreamWatch } from './sse-stream.ts'
import { isEnd, isWatchedOut, type Until } from './stream-end.ts'

/** What streams need of the world. */
export interface SseNeeds extends HeartbeatNeeds {
  readonly hub: Pick<Hub, 'attach' | 'look'>
  readonly store: Pick<EventStore, 'find' | 'heads' | 'read'>
  readonly metrics: Metrics
  /** What may wait in memory for one client; beyond it the client is cut, to come back. */
  readonly bufferedBytesMax: number
  /** Takes the socket of a request from Node's HTTP: `takeSocket`, with what else must know of it. */
  readonly takeSocket: (response: ServerResponse) => Socket | null
}

/** A request for a stream whose sender may have it: authorized, and the payment exists. */
export interface SseRequest {
  /** Hijacked: nothing was written to it, and nobody else will. */
  readonly response: ServerResponse
  readonly paymentId: string
  /** The chains the payment can be paid on. */
  readonly chains: readonly string[]
  /** As it was sent; null without one. */
  readonly lastEventId: string | null
  readonly until: Until
  /** Calls when the key that the request came with is refused from then on, until it is stopped. */
  readonly hold: (refused: Refused) => Stop
  /** When the payment stops being watched. */
  readonly monitorUntil: Instant
  /** The payment's last event, read for this request. */
  readonly head: StoredEvent
  /** Headers that every answer of this server has. */
  readonly headers: OutgoingHttpHeaders
  /** When the request came in. */
  readonly since: Instant
}

/** What a request comes to: where its stream begins, or that there is nothing more to tell. */
interface Plan {
  readonly after: number
  readonly outcome: 'first' | 'resumed' | 'current' | 'reset' | 'finished'
}

const retry = sseFrame({ retry: 2_000 })
const reset = sseFrame({ event: 'reset', data: '{"reason":"unknown_event_id"}' })
/** For the last bytes to be sent; then the socket is closed, whatever is left. */
const lastBytesMs = 5_000

/**
 * Server-sent events. A stream is a position, a bare socket and a place among the heartbeats;
 * everything else is shared.
 */
export class Sse {
  readonly #needs: SseNeeds
  readonly #heartbeats: Heartbeats
  /** Until the socket has closed. */
  readonly #streams = new Map<Socket, Stream>()
  readonly #watch: StreamWatch
  readonly #listeners: ReturnType<typeof listenersOf>
  #pushed = 0
  #isClosing = false
  #allClosed: (() => void) | null = null

  constructor(needs: SseNeeds) {
    this.#needs = needs
    this.#heartbeats = new Heartbeats(needs)
    this.#watch = {
      bufferedBytesMax: needs.bufferedBytesMax,
      pushed: (stream) => this.#countPush(stream),
      over: (stream, why) => this.#over(stream, why),
      now: () => needs.clock.now(),
    }
    this.#listeners = listenersOf(this.#streams, () => this.#allClosed?.())
  }

  /** Answers the request: with a stream, or with 204 to one who has seen the end. */
  async handle(request: SseRequest): Promise<void> {
    const { response, headers } = request
    const plan = await this.#plan(request)
    if (plan?.outcome === 'finished') {
      this.#needs.metrics.reconnected('finished')
      response.writeHead(204, headers).end()
    } else if (response.req.method === 'HEAD') {
      response.writeHead(200, headersOf(headers)).end()
    } else {
      const answer = headOf(headers, new Date(this.#needs.clock.now())) + retry
      const socket = this.#needs.takeSocket(response)
      if (socket) this.#open(request, { socket, plan, answer })
    }
  }

  /** Tells every client to come back, and closes. Resolves when the sockets are closed. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#heartbeats.close()
    for (const stream of this.#streams.values()) stream.end('closing')
    if (this.#streams.size === 0) return
    await new Promise<void>((resolve) => {
      this.#allClosed = resolve
    })
  }

  /** Null when the history cannot be asked. */
  async #plan(request: SseRequest): Promise<Plan | null> {
    const { lastEventId, paymentId, head } = request
    const now = this.#needs.clock.now()
    if (lastEventId === null) return { after: head.sequence - 1, outcome: 'first' }
    if (lastEventId === head.id) return planFor(head, request, now)
    try {
      const held = isId('evt', lastEventId) ? await this.#needs.store.find(lastEventId) : null
      return planFor(held?.subject.id === paymentId ? held : null, request, now)
    } catch (error) {
      this.#needs.log.warn({ area: 'sse', paymentId, error }, 'a position was not found')
      return null
    }
  }

  #open(
    { paymentId, chains, head, since, until, monitorUntil, hold }: SseRequest,
    { socket, plan, answer }: { socket: Socket; plan: Plan | null; answer: string },
  ): void {
    const { hub, metrics, store } = this.#needs
    const start = { paymentId, chains, since, head: head.sequence, until, monitorUntil }
    const stream = new Stream(socket, start, this.#watch)
    this.#streams.set(socket, stream)
    stream.release = hold((code) => stream.refuse(code))
    this.#heartbeats.add(stream)
    metrics.streamOpened('sse')
    if (plan && plan.outcome !== 'first') metrics.reconnected(plan.outcome)
    const { data, end, close } = this.#listeners
    socket.on('data', data).on('end', end).on('close', close)
    // The head and what is at hand leave as one.
    socket.cork()
    socket.write(plan?.outcome === 'reset' ? answer + reset : answer, 'latin1')
    if (plan === null) stream.lost()
    else if (this.#isClosing) stream.end('closing')
    else
      stream.stop = hub.attach(stream, {
        topic: paymentTopic(paymentId, store),
        after: plan.after,
        head,
      })
    socket.uncork()
    if (plan?.outcome === 'current') stream.standing = dataOf(head)
    // Nothing may be due to it for long: without this it could not know that it is current.
    if (plan?.outcome === 'current' || plan?.outcome === 'resumed') {
      this.#heartbeats.now(stream, Math.max(start.head, plan.after))
    }
  }

  #countPush(stream: Stream): void {
    const { clock, metrics } = this.#needs
    if (stream.isFresh) metrics.streamFirstEvent('sse', clock.now() - stream.start.since)
    // Once for a whole fan-out: counting each would cost more than some of the writes.
    if (this.#pushed++ > 0) return
    queueMicrotask(() => {
      metrics.eventsPushed('sse', this.#pushed)
      this.#pushed = 0
    })
  }

  #over(stream: Stream, why: Ending): void {
    const { socket } = stream
    this.#heartbeats.delete(stream)
    this.#needs.metrics.streamClosed('sse', why)
    if (!socket.destroyed) this.#needs.clock.after(lastBytesMs, () => socket.destroy())
  }
}

/** What is due to one who holds this event; null for an event that is not of this payment. */
function planFor(
  held: StoredEvent | null,
  { head, until, monitorUntil }: Pick<SseRequest, 'head' | 'until' | 'monitorUntil'>,
  now: Instant,
): Plan {
  const { sequence } = head
  if (held === null) return { after: sequence - 1, outcome: 'reset' }
  const after = held.sequence
  // The head was read before: what is held may be newer.
  const isCurrent = after >= sequence
  const standing = dataOf(held)
  const hasSeenTheEnd = isEnd(standing, until)
  // Not when a closed payment was opened again since: that must be told.
  const isFinished =
    (hasSeenTheEnd && (isCurrent || isEnd(dataOf(head), until))) ||
    (isCurrent && isWatchedOut(standing, { until, monitorUntil }, now))
  if (isFinished) return { after, outcome: 'finished' }
  return { after, outcome: isCurrent ? 'current' : 'resumed' }
}

/** The listeners of all sockets: three functions, however many streams there are. */
function listenersOf(streams: Map<Socket, Stream>, allClosed: () => void) {
  return {
    data(this: Socket, { length }: Buffer): void {
      streams.get(this)?.ignore(length)
    },
    // Who says nothing more has gone: half-open is not a way to listen.
    end(this: Socket): void {
      this.destroy()
    },
    close(this: Socket): void {
      const stream = streams.get(this)
      streams.delete(this)
      stream?.closed()
      if (streams.size === 0) allClosed()
    },
  }
}
