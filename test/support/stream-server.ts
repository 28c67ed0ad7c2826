import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MemoryBackplane } from '../../server/src/backplane/memory.ts'
import { Hub } from '../../server/src/engine/topic/hub.ts'
import { paymentKey } from '../../server/src/engine/topic/topics.ts'
import { Sse } from '../../server/src/http/stream/sse.ts'
import { takeSocket } from '../../server/src/http/stream/sse-socket.ts'
import { PaymentSource } from '../../server/src/http/stream/stream-source.ts'
import { silentLog } from '../../server/src/log.ts'
import { silentMetrics } from '../../server/src/metrics.ts'
import type { Visibility } from '../../server/src/ports/chain.ts'
import type { Metrics } from '../../server/src/ports/metrics.ts'
import { type EventSketch, HeldHistory } from './history.ts'
import { ManualClock } from './manual-clock.ts'
import { type StreamAsk, StreamClient } from './stream-client.ts'

export const heartbeatMs = 15_000
/** The payment streamed at `/`; `/pi_…` streams another. */
export const pay = 'pi_one'

/** Streams over real sockets, from a history and a clock that the test controls. */
export class StreamServer {
  readonly clock = new ManualClock()
  readonly history = new HeldHistory()
  readonly backplane = new MemoryBackplane(silentLog)
  /** The recorded metrics, as texts. */
  readonly counted: string[] = []
  readonly http: Server
  readonly hub: Hub
  readonly sse: Sse
  visibility: Visibility = 'ok'
  /** The end of the watch of all payments. */
  monitorUntil = Number.POSITIVE_INFINITY
  readonly seen = { head: 7, lagMs: 1_500 }
  /** How often the visibility of chains was read. */
  looks = 0
  readonly #clients: StreamClient[] = []
  readonly #listeners = new Set<(chain: string) => void>()

  constructor({ bufferedBytesMax = 256 * 1024, ageMs = 3_600_000, returnMs = 10_000 } = {}) {
    const { history: store, backplane, clock } = this
    const metrics = this.#metrics()
    this.hub = new Hub({ backplane, clock, log: silentLog, metrics })
    this.sse = new Sse({
      ...{ hub: this.hub, store, clock, log: silentLog, metrics, heartbeatMs, bufferedBytesMax },
      ageMs,
      returnMs,
      left: () => undefined,
      takeSocket,
      onSight: (listener) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
      sight: (chains) => {
        this.looks++
        const { visibility } = this
        return { visibility, chains: chains.map((chain) => ({ chain, visibility, ...this.seen })) }
      },
    })
    this.http = createServer(async (request, response) => {
      const since = clock.now()
      const { pathname, searchParams } = new URL(`http://x${request.url}`)
      const paymentId = pathname === '/' ? pay : pathname.slice(1)
      const head = await store.last(paymentId)
      if (!head) {
        response.writeHead(404).end()
        return
      }
      const lastEventId = request.headers['last-event-id']
      await this.sse.handle({
        ...{ response, since },
        source: new PaymentSource(
          {
            id: paymentId,
            chains: ['local'],
            until: searchParams.get('until') === 'final' ? 'final' : 'end',
            monitorUntil: this.monitorUntil,
          },
          store,
        ),
        head: { position: head.sequence, event: head },
        // It has no limits and requires no key.
        owner: { paymentId, merchantId: '', address: null },
        hold: () => () => undefined,
        lastEventId: typeof lastEventId === 'string' ? lastEventId : null,
        headers: { 'request-id': 'req_1', 'cache-control': 'no-store', 'keep-alive': 'timeout=5' },
      })
    })
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.http.listen(0, '127.0.0.1', resolve))
    return this
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port // it listens on TCP
  }

  ask(more: Omit<StreamAsk, 'port'> = {}): StreamClient {
    const client = new StreamClient({ port: this.port, ...more })
    this.#clients.push(client)
    return client
  }

  /** Reconnects with the id of the last received event. */
  resume(id: string, more: Omit<StreamAsk, 'port'> = {}): StreamClient {
    return this.ask({ ...more, headers: { 'Last-Event-ID': id } })
  }

  /** Sets the visibility of the chain from now on. */
  see(visibility: Visibility, chain = 'local'): void {
    this.visibility = visibility
    for (const listener of this.#listeners) listener(chain)
  }

  /** The number of subscribers to changes of visibility. */
  get listening(): number {
    return this.#listeners.size
  }

  /** Commits and announces one event for each sketch. */
  commit(...sketches: readonly EventSketch[]): void {
    for (const sketch of sketches) {
      const stored = this.history.append(pay, sketch)
      const { sequence: position } = stored
      this.backplane.announce({ topic: paymentKey(pay), position, events: [stored] })
    }
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close()
    this.history.releaseAll()
    await this.sse.close()
    this.http.closeAllConnections()
    await new Promise((resolve) => this.http.close(resolve))
  }

  #metrics(): Metrics {
    const { counted } = this
    return {
      ...silentMetrics,
      streamOpened: () => counted.push('opened'),
      streamClosed: (_, why) => counted.push(`closed ${why}`),
      reconnected: (outcome) => counted.push(`reconnected ${outcome}`),
      eventsPushed: (_, count) => counted.push(`pushed ${count}`),
      streamFirstEvent: (_, afterMs) => counted.push(`first after ${afterMs}`),
    }
  }
}
