import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { endsWatch } from '@settlewire/client/until'
import type { EventData } from '@settlewire/core/payment/event'
import type { Status } from '@settlewire/core/payment/status-model'
import { sseFrame } from '@settlewire/core/wire/sse'

/** The faults that a request can get. */
export const faults = [
  'refused', // the socket is destroyed before an answer
  'bad_gateway', // a proxy answers 502 with its own page
  'not_found_proxy', // a proxy answers 404 with its own page
  'overloaded', // ours: 503 with Retry-After
  'portal', // 200 with a foreign page, as a captive portal sends
  'garbage', // an event stream of nonsense
  'mute', // accepted, then nothing
  'half_frame', // the socket is destroyed in the middle of an event
  'cut', // one event, then a clean end
  'frozen', // the latest event, then nothing, and no end
  'deaf', // heartbeats name a sequence whose events never come
  'skipping', // an event is left out
  'stuttering', // every event comes twice, and old ones are repeated
] as const
export type Fault = (typeof faults)[number]

/** `gone`: our 404, permanently. `revoked`: the key is refused while its stream is open. */
export type Behaviour = 'well' | 'gone' | 'revoked' | Fault

export interface Asked {
  readonly kind: 'stream' | 'events'
  readonly lastEventId: string | null
  readonly after: number | null
  readonly wait: number | null
  readonly until: string | null
}

export interface ShakyOptions {
  /** In milliseconds of real time; the server's clock may run fast. */
  readonly heartbeatMs: number
  /** The real duration of one second of `wait`. */
  readonly secondMs: number
}

/** A minimal server with one payment that fails on demand. It uses real sockets. */
export class ShakyServer {
  readonly paymentId = 'pi_01jd6q2v5h8x3k9m4n7p0r1s2t'
  readonly asked: Asked[] = []
  readonly history: { id: string; type: string; data: EventData }[] = []
  /** The behaviour for the next requests, in order; then `always`. */
  readonly plan: Behaviour[] = []
  always: Behaviour = 'well'
  /** Event ids that the server no longer knows: it answers them with a reset. */
  forgets = false
  /** Whether `?until=final` keeps a stream open after a success. */
  knowsUntil = true
  readonly #options: ShakyOptions
  readonly #server: Server
  readonly #news = new Set<() => void>()

  private constructor(options: ShakyOptions) {
    this.#options = options
    this.#server = createServer((request, response) => {
      void this.#answer(request, response)
    })
  }

  static async start(options: ShakyOptions): Promise<ShakyServer> {
    const shaky = new ShakyServer(options)
    shaky.#server.listen(0, '127.0.0.1')
    await once(shaky.#server, 'listening')
    return shaky
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` // it listens on TCP
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    if (this.#server.listening) await once(this.#server, 'close')
  }

  /** Cuts every connection at once, like a crash. */
  cutAll(): void {
    this.#server.closeAllConnections()
  }

  add(status: Status, more: Partial<EventData> = {}): void {
    const sequence = this.history.length + 1
    const data: EventData = { ...blank, id: this.paymentId, sequence, status, ...more }
    const id = `evt_${String(sequence).padStart(26, '0')}`
    this.history.push({ id, type: 'payment_intent.updated', data })
    for (const tell of this.#news) tell()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://shaky')
    const kind = url.pathname.endsWith('/stream') ? 'stream' : 'events'
    const number = (name: string) =>
      url.searchParams.has(name) ? Number(url.searchParams.get(name)) : null
    const lastEventId = request.headers['last-event-id']?.toString() ?? null
    const until = url.searchParams.get('until')
    const asked = {
      kind,
      lastEventId,
      until,
      after: number('after'),
      wait: number('wait'),
    } as const
    this.asked.push(asked)
    const behaviour = this.plan.shift() ?? this.always
    if (refuse(response, behaviour)) return
    if (kind === 'events') await this.#events(response, asked, behaviour)
    else this.#stream(response, asked, behaviour)
  }

  async #events(response: ServerResponse, asked: Asked, behaviour: Behaviour): Promise<void> {
    const later = () => this.history.slice(asked.after ?? 0)
    if (behaviour !== 'well') {
      response.destroy()
      return
    }
    const until = Date.now() + (asked.wait ?? 0) * this.#options.secondMs
    while (later().length === 0 && Date.now() < until && !response.destroyed) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const data = later().slice(0, 100)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ object: 'list', data, hasMore: later().length > 100 }))
  }

  #stream(response: ServerResponse, asked: Asked, behaviour: Behaviour): void {
    const known = this.history.findIndex((event) => event.id === asked.lastEventId) + 1
    const isReset = asked.lastEventId !== null && (known === 0 || this.forgets)
    const last = this.history.at(-1)
    const isOver = (data: EventData | undefined) =>
      data !== undefined &&
      endsWatch(data, this.knowsUntil && asked.until === 'final' ? 'final' : 'closed')
    if (!isReset && known > 0 && known === this.history.length && isOver(last?.data)) {
      response.writeHead(204).end()
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('retry: 2000\n\n')
    if (behaviour === 'mute') return
    if (behaviour === 'revoked') {
      const data = '{"code":"key_revoked","detail":"This key was revoked."}'
      response.end(sseFrame({ event: 'refused', data }))
      return
    }
    if (isReset) {
      const data = '{"reason":"unknown_event_id"}'
      response.write(sseFrame({ event: 'reset', data }))
    }
    const position = known > 0 && !isReset ? known : Math.max(0, this.history.length - 1)
    const telling = new Telling(response, this, { behaviour, position, isOver })
    telling.run(this.#news, this.#options.heartbeatMs)
  }
}

/** One stream of the shaky server. */
class Telling {
  #position: number
  readonly #response: ServerResponse
  readonly #shaky: ShakyServer
  readonly #behaviour: Behaviour
  readonly #isOver: (data: EventData) => boolean
  #told = 0

  constructor(
    response: ServerResponse,
    shaky: ShakyServer,
    start: {
      readonly behaviour: Behaviour
      readonly position: number
      readonly isOver: (data: EventData) => boolean
    },
  ) {
    this.#response = response
    this.#shaky = shaky
    this.#behaviour = start.behaviour
    this.#position = start.position
    this.#isOver = start.isOver
  }

  run(news: Set<() => void>, heartbeatMs: number): void {
    const tell = () => this.#tell()
    const timer = setInterval(() => this.#heartbeat(), heartbeatMs)
    news.add(tell)
    this.#response.on('close', () => {
      clearInterval(timer)
      news.delete(tell)
    })
    tell()
  }

  #tell(): void {
    const { history } = this.#shaky
    for (; this.#position < history.length; this.#position += 1) {
      const event = history[this.#position]
      if (event === undefined || this.#response.destroyed || this.#response.writableEnded) return
      const frame = sseFrame({ id: event.id, event: event.type, data: JSON.stringify(event.data) })
      this.#write(frame)
      this.#told += 1
      if (this.#isOver(event.data) && this.#behaviour !== 'frozen') this.#response.end()
    }
  }

  #write(frame: string): void {
    const isFirst = this.#told === 0
    switch (this.#behaviour) {
      case 'frozen':
      case 'deaf':
        if (isFirst) this.#response.write(frame)
        return
      case 'half_frame':
        this.#response.write(frame.slice(0, frame.length / 2))
        setTimeout(() => this.#response.destroy(), 2)
        return
      case 'cut':
        this.#response.end(isFirst ? frame : undefined)
        return
      case 'skipping':
        if (this.#told !== 1) this.#response.write(frame)
        return
      case 'stuttering':
        this.#response.write(frame + frame)
        return
      case 'garbage':
        this.#response.write('event: payment_intent.updated\ndata: {"half":\n\n')
        return
      default:
        this.#response.write(frame)
    }
  }

  #heartbeat(): void {
    if (this.#behaviour === 'frozen') return
    const sequence = this.#shaky.history.length
    const chains = [{ chain: 'local', visibility: 'ok', head: 12, lagMs: 400 }]
    const data = { sequence, at: new Date().toISOString(), visibility: 'ok', chains }
    const frame = sseFrame({ event: 'heartbeat', data: JSON.stringify(data) })
    this.#response.write(`:heartbeat\n${frame}`)
  }
}

/** Refuses the request if the behaviour is a refusal; returns whether it did. */
function refuse(response: ServerResponse, behaviour: Behaviour): boolean {
  const problem = (status: number, code: string, more = {}) => {
    response.writeHead(status, { 'content-type': 'application/problem+json', ...more })
    response.end(JSON.stringify({ code, detail: code, status, requestId: 'req_1', errors: [] }))
  }
  const page = (status: number) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>Hello from a proxy</h1>')
  if (behaviour === 'refused') response.destroy()
  else if (behaviour === 'gone') problem(404, 'not_found')
  else if (behaviour === 'overloaded') problem(503, 'overloaded', { 'retry-after': '1' })
  else if (behaviour === 'bad_gateway') page(502)
  else if (behaviour === 'not_found_proxy') page(404)
  else if (behaviour === 'portal') page(200)
  else return false
  return true
}

const blank: EventData = {
  id: '',
  sequence: 0,
  status: 'awaiting',
  previousStatus: null,
  txHash: null,
  chain: null,
  chainId: null,
  token: null,
  confirmations: 0,
  requiredConfirmations: null,
  expectedAmount: '150.00',
  pendingAmount: '0.00',
  receivedAmount: '0.00',
  flags: [],
  finality: 'none',
  detectedAt: null,
  settledAt: null,
}
