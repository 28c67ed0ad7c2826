import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import type { CloseCode, PauseCode } from '../../edge-limit-table.ts'
import type { EdgeLimits } from '../../edge-limits.ts'
import type { EdgeMetrics } from '../../metrics.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import { problemHeaders, problemOf } from '../problem.ts'
import { refusalPage, wantsPage } from '../refusal-page.ts'
import { sayAlive } from './alive.ts'
import { Networks, plainAddress } from './client-address.ts'
import { HttpConnection } from './connection.ts'
import { Connections, overLimitMax } from './connections.ts'
import { hostFailure } from './host.ts'
import { canAnswer, rawProblem, refusalOf } from './raw-problem.ts'
import { type CutReason, overdue } from './sweep.ts'
import { LoopTurns } from './turns.ts'

/** What the edge needs of the world. */
export interface EdgeNeeds {
  readonly clock: Clock
  readonly limits: EdgeLimits
  readonly metrics: EdgeMetrics
  readonly log: Log
  readonly requestId: () => string
  /** Headers of every answer. */
  readonly headers: () => Readonly<Record<string, string>>
  /** Whether the server closes: then each answer is the last on its connection. */
  readonly isClosing: () => boolean
}

const headBytesMax = 16 * 1024
/** A refused client may still be sending: closing at once could make it lose the refusal. */
const lingerMs = 1_000
const sweepMs = 1_000
/** Small, so that data for a slow client waits in its own queue and not in Node's buffers. */
const bufferBytes = 16 * 1024

/** Why a connection is closed at once. */
const noRoom = 'no_room' satisfies CloseCode

/** Routes for operators: answered also on connections beyond a limit. */
const operatorsPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])

/**
 * Everything between the network and the routes: limits on connections in total and per client, on
 * the time for a request to arrive and an answer to leave, and refusals of malformed HTTP. Requests
 * of one connection are answered one after the other. Those of all connections are parsed and
 * answered in turns of the event loop, `/healthz` before all others, then `/readyz`.
 */
export class Edge {
  readonly server: Server
  readonly #needs: EdgeNeeds
  readonly #answer: (request: IncomingMessage, response: ServerResponse) => void
  readonly #connections: Connections
  readonly #proxies: Networks
  readonly #turns: LoopTurns
  readonly #attachParser: (socket: Socket) => void
  readonly #listeners: ReturnType<typeof listenersOf>
  #isSweeping = false

  constructor(
    needs: EdgeNeeds,
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ) {
    const { limits, clock } = needs
    this.#needs = { ...needs, metrics: logged(needs) }
    this.#answer = answer
    this.#connections = new Connections(this.#needs)
    this.#proxies = new Networks(limits.trustedProxies)
    this.#turns = new LoopTurns(clock)
    this.#listeners = listenersOf(this.#connections, clock)
    this.server = createServer({
      maxHeaderSize: headBytesMax,
      highWaterMark: bufferBytes,
      // Node would refuse without a body; `hostFailure` becomes a problem document.
      requireHostHeader: false,
      // Node's own timeouts close many connections at once, or only one side of each.
      headersTimeout: 0,
      requestTimeout: 0,
      keepAliveTimeout: limits.idleMs,
    })
    this.#attachParser = takeConnections(this.server)
    this.#listen()
  }

  /**
   * Hands the socket of this request to a stream. The connection stays counted, although `take` may
   * remove every listener and emit `close`.
   */
  handOver(response: ServerResponse, take: () => Socket | null): Socket | null {
    const { socket } = response.req
    const connection = this.#connections.of(socket)
    if (connection === undefined) return take()
    this.#connections.markBusy(connection)
    connection.becomeStream()
    socket.removeListener('close', this.#listeners.close)
    const taken = take()
    if (socket.destroyed) this.#connections.forget(connection)
    else socket.on('close', this.#listeners.close)
    return taken
  }

  /** The client of a request, as limits count it; null if its address has no limit. */
  clientOf({ socket, headers }: IncomingMessage): string | null {
    const peer = plainAddress(socket.remoteAddress ?? '')
    const forwardedFor = headers['x-forwarded-for']
    const isForwarded = forwardedFor !== undefined && this.#proxies.has(peer)
    const client = isForwarded ? this.#proxies.clientBehind(peer, String(forwardedFor)) : peer
    return this.#connections.clientCounted(client)
  }

  /** Closes connections without a request: browsers open them in advance. */
  closeIdle(): void {
    for (const connection of this.#connections.all) {
      if (connection.isIdle) this.#connections.cut(connection, 'closing')
    }
  }

  #listen(): void {
    const { server } = this
    // A last limit: beyond it Node closes new connections before our code sees them.
    server.maxConnections = this.#needs.limits.connectionsMax + 2 * overLimitMax
    server.on('drop', () => this.#needs.metrics.connectionCut(noRoom))
    server.on('connection', (socket) => this.#admit(socket))
    server.on('request', (request, response) => this.#take(request, response))
    server.on('checkExpectation', (request, response) => {
      this.#take(request, response, new Failure('expectation_failed'))
    })
    server.on('clientError', (error, socket) => {
      // A TCP server only passes sockets; Node's type is wider.
      this.#refuseRaw(socket as Socket, refusalOf(error))
    })
    server.on('connect', (_, socket) => {
      const detail = 'This server is not a proxy: it does not support CONNECT.'
      // Node no longer handles errors of this socket.
      socket.on('error', ignore)
      this.#refuseRaw(socket as Socket, new Failure('method_not_allowed', detail))
    })
  }

  #admit(socket: Socket): void {
    const { clock, limits, metrics } = this.#needs
    this.#turns.connectionAccepted()
    const admitted = this.#connections.admit(socket)
    if (admitted === null) {
      metrics.connectionCut(noRoom)
      socket.destroy()
      return
    }
    const start = { ...admitted, since: clock.now(), pipelinedMax: limits.pipelinedMax }
    const connection = new HttpConnection(socket, start, {
      openParser: () => this.#parserOf(socket),
      inTurn: (parse) => this.#parseInTurn(connection, parse),
      paused: () => metrics.connectionPaused('pipelined' satisfies PauseCode),
    })
    const { data, resume, close } = this.#listeners
    socket.on('data', data).on('resume', resume).on('close', close)
    this.#connections.add(connection)
    if (!this.#isSweeping) this.#sweepLater()
  }

  /** A connection whose bytes wait for their turn is not idle, so it is not closed as such. */
  #parseInTurn(connection: HttpConnection, parse: () => void): void {
    let hasWaited = false
    this.#turns.run(() => {
      parse()
      if (!hasWaited || !connection.isIdle) return
      if (this.#needs.isClosing()) this.#connections.cut(connection, 'closing')
      else this.#connections.markIdle(connection)
    })
    hasWaited = true
    if (connection.waitsForTurn) this.#connections.markBusy(connection)
  }

  /** Attaches Node's parser to a socket of ours, and returns the function that feeds it. */
  #parserOf(socket: Socket): (bytes: Buffer) => void {
    const { data } = this.#listeners
    this.#attachParser(socket)
    const feed = socket.listeners('data').at(-1)
    assert(feed !== undefined && feed !== data, 'Node listens to the data of its connections')
    // Until this second `on`, Node gives received bytes to its parser without a `data` event.
    socket.on('data', data)
    socket.removeListener('data', feed as (bytes: Buffer) => void)
    // One of the two of ours.
    socket.removeListener('data', data)
    return feed.bind(socket)
  }

  #take(request: IncomingMessage, response: ServerResponse, failure?: Failure): void {
    const connection = this.#connections.of(request.socket)
    if (connection === undefined || connection.isOver) return
    this.#connections.markBusy(connection)
    connection.asked({
      request,
      response,
      since: this.#needs.clock.now(),
      failure: failure ?? null,
    })
    this.#next(connection)
  }

  #next(connection: HttpConnection): void {
    const exchange = connection.next()
    if (exchange === null) {
      if (connection.isIdle) this.#connections.markIdle(connection)
      return
    }
    const { request, response } = exchange
    const client = this.#clientOf(connection, request)
    const hasRoom = client === null || this.#connections.hasRoom(client)
    if (client !== null) this.#connections.enter(client)
    response.once('close', () => {
      if (client !== null) this.#connections.requestOver(connection, client)
      if (connection.isStream) return
      connection.answered(this.#needs.clock.now())
      this.#next(connection)
    })
    const isLast = connection.start.overLimit !== null || this.#needs.isClosing()
    if (isLast) response.setHeader('connection', 'close')
    const path = pathOf(request)
    const invalid = hostFailure(request)
    const isHealth = path === '/healthz' && invalid === null
    if (isHealth && sayAlive(request, response, this.#headers())) return
    const failure = exchange.failure ?? invalid ?? refusalFor(connection, path, hasRoom)
    const task = (): void => {
      if (connection.isOver || request.socket.destroyed) return
      if (failure === null) this.#answer(request, response)
      else this.#refuse(response, failure)
    }
    if (path === '/readyz') this.#turns.runFirst(task)
    else this.#turns.run(task)
  }

  /** The client of a request that a trusted proxy forwards; null if the connection is counted. */
  #clientOf(connection: HttpConnection, { headers }: IncomingMessage): string | null {
    const { peer } = connection.start
    const forwardedFor = headers['x-forwarded-for']
    if (forwardedFor === undefined || !this.#proxies.has(peer)) return null
    this.#connections.countByForwardedClient(connection)
    return this.#connections.clientCounted(this.#proxies.clientBehind(peer, String(forwardedFor)))
  }

  #headers(): Readonly<Record<string, string>> {
    return { ...this.#needs.headers(), 'request-id': this.#needs.requestId() }
  }

  #refuse(response: ServerResponse, failure: Failure): void {
    const headers = this.#headers()
    const answer = answerTo(failure, response.req, headers['request-id'] ?? '')
    const { status, body } = answer
    this.#needs.metrics.requestRefused(failure.code)
    response
      .writeHead(status, {
        ...headers,
        ...answer.headers,
        'content-length': Buffer.byteLength(body),
        connection: 'close',
      })
      .end(response.req.method === 'HEAD' ? undefined : body)
  }

  /** Answers an invalid or incomplete request, and destroys the socket once the answer is sent. */
  #refuseRaw(socket: Socket, failure: Failure): void {
    const { clock, metrics, requestId, headers } = this.#needs
    const connection = this.#connections.of(socket)
    if (connection?.isOver) return
    metrics.requestRefused(failure.code)
    const current = connection?.current ?? null
    // Answers must stay in order and whole: never write while another answer is due or half sent.
    const isBusy = current !== null && (current.request.complete || current.response.headersSent)
    if (connection !== undefined) connection.isOver = true
    if (isBusy || !canAnswer(socket)) {
      socket.destroy()
      return
    }
    socket.end(rawProblem(failure, requestId(), headers()))
    socket.resume()
    clock.after(lingerMs, () => socket.destroy())
  }

  #sweepLater(): void {
    this.#isSweeping = true
    this.#needs.clock.after(sweepMs, () => {
      const { clock, limits } = this.#needs
      for (const [connection, why] of overdue(this.#connections.all, clock.now(), limits)) {
        // In turns, so that ten thousand late connections at once do not block the event loop.
        this.#turns.run(() => this.#end(connection, why))
      }
      this.#isSweeping = false
      if (this.#connections.size > 0) this.#sweepLater()
    })
  }

  #end(connection: HttpConnection, why: CutReason): void {
    if (connection.isOver) return
    if (why === 'head_timeout' || why === 'body_timeout') {
      this.#needs.metrics.connectionCut(why)
      this.#refuseRaw(connection.socket, new Failure('request_timeout'))
    } else {
      this.#connections.cut(connection, why)
    }
  }
}

/**
 * Takes over the new connections of a server. Returns what Node would have done with each of them:
 * attach an HTTP parser. The edge does so once a client has sent something: a parser takes memory
 * and time, and the silent connections of an attack need none.
 */
function takeConnections(server: Server): (socket: Socket) => void {
  const [attach] = server.listeners('connection')
  assert(attach !== undefined, 'Node listens to the connections of its server')
  server.removeAllListeners('connection')
  return (socket) => attach.call(server, socket)
}

function ignore(): void {
  // The client is already refused; errors of its connection are irrelevant.
}

const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1)[0] ?? ''

/** The limit because of which a request is refused; null if it is not. */
function refusalFor(connection: HttpConnection, path: string, hasRoom: boolean): Failure | null {
  if (operatorsPaths.has(path)) return null
  const { overLimit } = connection.start
  if (overLimit !== null) return new Failure(overLimit)
  return hasRoom ? null : new Failure('too_many_from_address')
}

/** Metrics that are also logged where the client gets no answer: the log has the reason. */
const logged = ({ metrics, log }: Pick<EdgeNeeds, 'metrics' | 'log'>): EdgeMetrics => ({
  ...metrics,
  connectionCut: (reason) => {
    metrics.connectionCut(reason)
    log.debug({ area: 'http', reason }, 'a connection was closed')
  },
  connectionPaused: (reason) => {
    metrics.connectionPaused(reason)
    log.debug({ area: 'http', reason }, 'further requests of a connection wait')
  },
})

/** Listeners that all sockets share: three functions, however many connections there are. */
function listenersOf(connections: Connections, clock: Pick<Clock, 'now'>) {
  return {
    data(this: Socket, bytes: Buffer): void {
      connections.of(this)?.received(bytes, clock.now())
    },
    resume(this: Socket): void {
      connections.of(this)?.pump()
    },
    close(this: Socket): void {
      const connection = connections.of(this)
      if (connection === undefined) return
      connection.isOver = true
      connections.forget(connection)
    },
  }
}

/** A refusal as a page for browsers, else as a problem document. */
function answerTo(
  failure: Failure,
  request: IncomingMessage,
  requestId: string,
): { status: number; headers: Record<string, string>; body: string } {
  if (wantsPage(request)) return refusalPage(failure, { requestId, shopUrl: null, own: false })
  const problem = problemOf(failure, requestId)
  return {
    status: problem.status,
    headers: problemHeaders(failure),
    body: JSON.stringify(problem),
  }
}
