import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Failure } from '@settlewire/core/errors'
import { type Instant, toRfc3339 } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { Policy } from '@settlewire/core/payment/policy'
import { resource } from '@settlewire/core/wire/wire'
import { MemoryBackplane } from '../../../server/src/backplane/memory.ts'
import type { Engine } from '../../../server/src/engine/engine.ts'
import type { KindBook } from '../../../server/src/engine/payment/kind-book.ts'
import { Hub } from '../../../server/src/engine/topic/hub.ts'
import { hintsOf, hintsOfForeign } from '../../../server/src/engine/topic/topics.ts'
import { chainsOf, sightOf } from '../../../server/src/engine/watch/sight.ts'
import { showEvents, showFeed } from '../../../server/src/http/contract/show.ts'
import { problemOf } from '../../../server/src/http/problem.ts'
import { pollEvents } from '../../../server/src/http/stream/long-poll.ts'
import { Sse } from '../../../server/src/http/stream/sse.ts'
import { PaymentSource } from '../../../server/src/http/stream/stream-source.ts'
import { silentMetrics } from '../../../server/src/metrics.ts'
import type { Clock } from '../../../server/src/ports/clock.ts'
import type { EventStore, StoredEvent } from '../../../server/src/ports/history.ts'
import type { Log } from '../../../server/src/ports/log.ts'
import type { Channel } from './channel.ts'
import type { Asked } from './network.ts'
import { StreamSocket } from './stream-socket.ts'

export interface FrontParts {
  readonly engine: Pick<Engine, 'watcher' | 'news'>
  /** A store for readers only, so that their reads do not affect the engine. */
  readonly store: EventStore
  readonly clock: Clock
  readonly log: Log
  readonly policy: Policy
  readonly kinds: KindBook
  readonly merchantId: string
  /** Called before a reader is sent how well chains are seen. */
  readonly tellsSight: () => void
}

const heartbeatMs = 15_000
const bufferedBytesMax = 256 * 1_024
const jsonHead = { 'content-type': 'application/json' }
const problemHead = { 'content-type': 'application/problem+json' }

/** Answers the readers of one process with the real hub, streams and long-polls. */
export class Front {
  readonly #parts: FrontParts
  readonly #backplane: MemoryBackplane
  readonly #hub: Hub
  readonly #sse: Sse
  readonly #channels = new Set<Channel>()
  readonly #closing = new AbortController()

  constructor(parts: FrontParts) {
    this.#parts = parts
    const { clock, log, store, engine } = parts
    const common = { clock, log, metrics: silentMetrics }
    this.#backplane = new MemoryBackplane(log)
    this.#hub = new Hub({ ...common, backplane: this.#backplane })
    this.#sse = new Sse({
      ...{ ...common, store, hub: this.#hub, heartbeatMs, bufferedBytesMax },
      left: () => undefined,
      // Shorter than in production: every world has streams that end because of their age.
      ageMs: 60_000,
      returnMs: 10_000,
      sight: (chains) => this.#sight(chains, clock.now()),
      onSight: (listener) => engine.watcher.onSight(listener),
      // The socket that `#stream` passes in.
      takeSocket: ({ socket }) => socket,
    })
    engine.news.onNews(({ subjects }) => {
      for (const hint of subjects.flatMap(hintsOfForeign)) this.#backplane.announce(hint)
    })
  }

  announce(events: readonly StoredEvent[]): void {
    for (const hint of hintsOf(events)) this.#backplane.announce(hint)
  }

  /** Registers a channel, which is then notified when the process dies. */
  connected(channel: Channel): void {
    this.#channels.add(channel)
  }

  /** Never rejects. */
  async answer(asked: Asked, channel: Channel): Promise<void> {
    try {
      await this.#route(asked, channel)
    } catch (error) {
      if (!(error instanceof Failure))
        this.#parts.log.error({ error }, 'a bug in a reader’s answer')
      const failure = error instanceof Failure ? error : new Failure('internal', undefined)
      const problem = problemOf(failure, 'req_1')
      channel.head(problem.status, problemHead)
      channel.bytes(Buffer.from(JSON.stringify(problem)))
      channel.end()
    }
  }

  /** Orderly shutdown: every reader receives the request to reconnect. */
  close(): void {
    this.#closing.abort()
    void this.#sse.close()
  }

  /** The process died. Its machine closes the connections, or died with it. */
  die(tells: boolean): void {
    for (const channel of this.#channels) {
      if (tells) channel.broken()
      else channel.vanish()
    }
  }

  async #route({ path, query, lastEventId }: Asked, channel: Channel): Promise<void> {
    const [, version, kind, id = '', part] = path.split('/')
    if (version === 'pay') return this.#json(channel, await this.#page(kind ?? ''))
    if (kind === 'events') return this.#json(channel, await this.#feed(query))
    // Readers here get no estimates, because an estimate is not checked as a statement.
    if (part === 'policy') throw new Failure('not_found')
    const payment = await this.#load(id)
    if (part === 'stream') return this.#stream(payment, { query, lastEventId }, channel)
    if (part === 'events') return this.#json(channel, await this.#events(payment, query))
    return this.#json(channel, JSON.stringify(this.#show(payment)))
  }

  #json(channel: Channel, text: string): void {
    channel.head(200, jsonHead)
    channel.bytes(Buffer.from(text))
    channel.end()
    this.#channels.delete(channel)
  }

  async #load(id: string): Promise<Payment> {
    const [payment] = await this.#parts.store.load(paymentKind, [id])
    if (payment === undefined) throw new Failure('not_found')
    return payment
  }

  async #page(id: string): Promise<string> {
    const payment = await this.#load(id)
    const now = this.#parts.clock.now()
    const chains = chainsOf(payment)
    return JSON.stringify({
      payment: this.#show(payment),
      ...{ merchant: { name: 'A shop' }, clientSecret: 'secret', sandbox: false },
      chainNames: Object.fromEntries(chains.map((chain) => [chain, chain])),
      serverTime: toRfc3339(now),
      chains: this.#sight(chains, now).chains,
    })
  }

  #show(payment: Payment): object {
    const { policy, kinds, clock } = this.#parts
    return resource(payment, {
      ...{ policy, merchant: null },
      visibility: this.#sight(chainsOf(payment), clock.now()).visibility,
      formatAddress: (chain, address) => kinds.printAddress(chain, address),
      paymentUri: (accept, units) => kinds.paymentUri(accept, units),
      explorerUrl: () => null,
    })
  }

  #sight(chains: readonly string[], now: Instant): ReturnType<typeof sightOf> {
    this.#parts.tellsSight()
    return sightOf(this.#parts.engine.watcher.chains(), chains, now)
  }

  async #feed(query: URLSearchParams): Promise<string> {
    const limit = Number(query.get('limit'))
    const { merchantId, store } = this.#parts
    const found = await store.feed(merchantId, false, Number(query.get('after')), limit + 1)
    return showFeed(found.slice(0, limit), found.length > limit)
  }

  async #events({ id }: Payment, query: URLSearchParams): Promise<string> {
    const { store, clock } = this.#parts
    const [after, limit] = [Number(query.get('after')), Number(query.get('limit'))]
    const waitMs = Number(query.get('wait') ?? 0) * 1_000
    let found = await store.read(id, after, limit + 1)
    if (found.length === 0 && waitMs > 0) {
      const poll = { paymentId: id, after, limit: limit + 1, waitMs }
      const needs = { hub: this.#hub, store, clock, metrics: silentMetrics }
      found = await pollEvents(poll, needs, this.#closing.signal)
    }
    return showEvents(found.slice(0, limit), found.length > limit)
  }

  async #stream(
    payment: Payment,
    { query, lastEventId }: Pick<Asked, 'query' | 'lastEventId'>,
    channel: Channel,
  ): Promise<void> {
    const { store, clock } = this.#parts
    const head = await store.last(payment.id)
    if (head === null) throw new Failure('not_found')
    const socket = new StreamSocket(channel, (call) => clock.after(0, call))
    const response = {
      ...{ socket, req: { method: 'GET', socket } },
      writeHead: (status: number, headers: OutgoingHttpHeaders) => {
        channel.head(status, headers as Record<string, string>) // `headers` below is empty
        return { end: () => channel.end() }
      },
    }
    await this.#sse.handle({
      // The only member that a stream uses.
      response: response as unknown as ServerResponse & { socket: Socket },
      source: new PaymentSource(
        {
          id: payment.id,
          chains: chainsOf(payment),
          until: query.get('until') === 'final' ? 'final' : 'end',
          monitorUntil: payment.terms.monitorUntil,
        },
        store,
      ),
      ...{ lastEventId, headers: {}, head: { position: head.sequence, event: head } },
      owner: { paymentId: payment.id, merchantId: payment.merchantId, address: null },
      // No key is ever revoked here.
      hold: () => () => undefined,
      since: clock.now(),
    })
  }
}
