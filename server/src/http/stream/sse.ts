import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Instant } from '@settlewire/core/instant'
import { dataOf } from '@settlewire/core/payment/event-text'
import { sseFrame } from '@settlewire/core/wire/sse'
import type { Hub } from '../../engine/topic/hub.ts'
import type { EventStore } from '../../ports/history.ts'
import type { Metrics } from '../../ports/metrics.ts'
import type { Stop } from '../../ports/stop.ts'
import type { Refused } from '../key-watch.ts'
import { returnSlots } from './return-slots.ts'
import { type HeartbeatNeeds, Heartbeats } from './sse-heartbeat.ts'
import { headersOf, headOf } from './sse-socket.ts'
import { retryMs, Stream, type StreamEnding, type StreamWatch } from './sse-stream.ts'
import type { StreamOwner } from './stream-limits.ts'
import { openingOf, type Plan, planOf, type StreamWish } from './stream-plan.ts'

/** The dependencies of `Sse`. */
export interface SseNeeds extends HeartbeatNeeds {
  readonly hub: Pick<Hub, 'attach' | 'look'>
  readonly store: Pick<EventStore, 'find' | 'heads' | 'feedHeads'>
  readonly metrics: Metrics
  /**
   * How many bytes may wait in memory for one client; beyond it the client is cut and reconnects.
   */
  readonly bufferedBytesMax: number
  /** The age at which a stream is ended, give or take a fifth. */
  readonly ageMs: number
  /** At a shutdown, the time over which the clients of its streams come back. */
  readonly returnMs: number
  /** Called once for each stream that was opened, when it is over. */
  readonly left: (owner: StreamOwner) => void
  /**
   * Takes the socket of a request from Node's HTTP: `takeSocket`, and the edge keeps counting it.
   */
  readonly takeSocket: (response: ServerResponse) => Socket | null
}

/** An authorized request for a stream. */
export interface SseRequest extends StreamWish {
  /** Hijacked: nothing was written to it, and only the stream will write to it. */
  readonly response: ServerResponse
  /** Whose stream it is: passed to `left` when it is over. */
  readonly owner: StreamOwner
  /** Calls `refused` when the key of the request becomes invalid, until stopped. */
  readonly hold: (refused: Refused) => Stop
  /** Headers that every answer of this server has. */
  readonly headers: OutgoingHttpHeaders
  /** When the request came in. */
  readonly since: Instant
}

const retry = sseFrame({ retry: retryMs })
/** Ages vary by this fraction, so that streams opened together do not end together. */
const ageJitter = 0.2
/** How long the last bytes may take to be sent; then the socket is destroyed. */
const lastBytesMs = 5_000

/**
 * Server-sent events. A stream is a position, a bare socket and a slot of the heartbeat wheel; all
 * else is shared.
 */
export class Sse {
  readonly #needs: SseNeeds
  readonly #heartbeats: Heartbeats
  /** All streams whose socket is not closed yet. */
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

  /**
   * Answers the request with a stream, or with 204 if the client has all events and no more will
   * come. `HEAD` gets the headers of a stream. A client that has disconnected gets no answer.
   * Resolves with whether a stream was opened: only then is `left` called at its end.
   */
  async handle(request: SseRequest): Promise<boolean> {
    const { response, headers } = request
    const plan = await this.#plan(request)
    if (plan?.outcome === 'finished') {
      this.#needs.metrics.reconnected('finished')
      response.writeHead(204, headers).end()
      return false
    }
    if (response.req.method === 'HEAD') {
      response.writeHead(200, headersOf(headers)).end()
      return false
    }
    const answer = headOf(headers, new Date(this.#needs.clock.now())) + retry
    const socket = this.#needs.takeSocket(response)
    if (socket === null) return false
    this.#open(request, { socket, plan, answer })
    return true
  }

  /**
   * Ends every stream, and tells each client to come back at a moment of its own, so that ten
   * thousand do not connect at once. Resolves when all sockets are closed.
   */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#heartbeats.close()
    const slot = returnSlots(this.#streams.size, this.#needs.returnMs)
    let index = 0
    for (const stream of this.#streams.values()) stream.end('closing', slot(index++))
    if (this.#streams.size === 0) return
    await new Promise<void>((resolve) => {
      this.#allClosed = resolve
    })
  }

  /** Null if the history could not be read. */
  async #plan(request: SseRequest): Promise<Plan | null> {
    const { lastEventId, source } = request
    try {
      return await planOf(request, { store: this.#needs.store, now: this.#needs.clock.now() })
    } catch (error) {
      const what = source.topic.key
      this.#needs.log.warn({ area: 'sse', what, lastEventId, error }, 'could not plan a stream')
      return null
    }
  }

  #open(
    { source, owner, head, since, hold }: SseRequest,
    { socket, plan, answer }: { socket: Socket; plan: Plan | null; answer: string },
  ): void {
    const { hub, metrics, clock, ageMs } = this.#needs
    const endsAt = clock.now() + ageMs * (1 - ageJitter + 2 * ageJitter * clock.chance())
    const start = { source, owner, since, endsAt, head: head.position }
    const stream = new Stream(socket, start, this.#watch)
    this.#streams.set(socket, stream)
    stream.release = hold((code) => stream.refuse(code))
    this.#heartbeats.add(stream)
    metrics.streamOpened('sse')
    if (plan && plan.outcome !== 'first') metrics.reconnected(plan.outcome)
    const { data, end, close } = this.#listeners
    socket.on('data', data).on('end', end).on('close', close)
    // Corked, so that the head and the first events leave in one packet.
    socket.cork()
    socket.write(answer + (plan === null ? '' : openingOf(source, plan)), 'latin1')
    if (plan === null) stream.lost()
    else if (this.#isClosing) stream.end('closing')
    else {
      const { event } = head
      const beginning = { topic: source.topic, after: plan.after }
      stream.stop = hub.attach(stream, event === null ? beginning : { ...beginning, head: event })
    }
    socket.uncork()
    if (plan === null || plan.outcome === 'first' || plan.outcome === 'reset') return
    if (plan.outcome === 'current' && head.event !== null) stream.standing = dataOf(head.event)
    // The next event may be far away: only this heartbeat tells the client that it is current.
    this.#heartbeats.now(stream, Math.max(head.position, plan.after))
  }

  #countPush(stream: Stream): void {
    const { clock, metrics } = this.#needs
    if (stream.isFresh) metrics.streamFirstEvent('sse', clock.now() - stream.start.since)
    // One metrics call for a whole fan-out: one per push would cost more than some writes.
    if (this.#pushed++ > 0) return
    queueMicrotask(() => {
      metrics.eventsPushed('sse', this.#pushed)
      this.#pushed = 0
    })
  }

  #over(stream: Stream, why: StreamEnding): void {
    const { socket } = stream
    this.#heartbeats.delete(stream)
    this.#needs.left(stream.start.owner)
    this.#needs.metrics.streamClosed('sse', why)
    this.#needs.log.debug({ area: 'sse', reason: why }, 'a stream ended')
    if (!socket.destroyed) this.#needs.clock.after(lastBytesMs, () => socket.destroy())
  }
}

/** Listeners that all sockets share: three functions, however many streams there are. */
function listenersOf(streams: Map<Socket, Stream>, allClosed: () => void) {
  return {
    data(this: Socket, { length }: Buffer): void {
      streams.get(this)?.ignore(length)
    },
    // The client closed its sending side (FIN): treat it as a disconnect.
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
