import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { vi } from 'vitest'
import { readConfig } from '../../server/src/config.ts'
import type { EdgeLimits } from '../../server/src/edge-limits.ts'
import { Edge } from '../../server/src/http/edge/edge.ts'
import { takeSocket } from '../../server/src/http/stream/sse-socket.ts'
import { silentLog } from '../../server/src/log.ts'
import { createMetrics } from '../../server/src/metrics.ts'
import { ManualClock } from './manual-clock.ts'
import { RawClient } from './raw-client.ts'

/** The handler of a path; `stream` takes the socket over, as streams do. */
export type EdgeRoute = (request: IncomingMessage, response: ServerResponse) => void

/** The default limits. */
export const edgeLimits = readConfig('/srv/settlewire', {}).edge

/** The edge on real sockets, with routes of a test behind it and a manual clock. */
export class EdgeWorld {
  readonly clock = new ManualClock()
  readonly metrics = createMetrics({ clock: this.clock })
  readonly edge: Edge
  isClosing = false
  /** The reasons that were logged, in order. */
  readonly reasons: string[] = []
  readonly #clients: RawClient[] = []

  private constructor(limits: EdgeLimits, routes: Readonly<Record<string, EdgeRoute>>) {
    let requests = 0
    const needs = {
      ...{ clock: this.clock, metrics: this.metrics, limits },
      log: { ...silentLog, debug: (fields: { reason?: string }) => this.#note(fields) },
      requestId: () => `req_${++requests}`,
      headers: () => ({ 'x-content-type-options': 'nosniff' }),
      isClosing: () => this.isClosing,
    }
    this.edge = new Edge(needs, (request, response) => {
      const [path = ''] = request.url?.split('?') ?? []
      if (path === '/stream') void this.#stream(response)
      else (routes[path] ?? hello)(request, response)
    })
  }

  static async start(
    limits: Partial<EdgeLimits> = {},
    routes: Readonly<Record<string, EdgeRoute>> = {},
  ): Promise<EdgeWorld> {
    const world = new EdgeWorld({ ...edgeLimits, ...limits }, routes)
    await new Promise<void>((resolve) => world.edge.server.listen(0, '127.0.0.1', resolve))
    return world
  }

  get url(): string {
    return `http://127.0.0.1:${(this.edge.server.address() as AddressInfo).port}` // it listens on TCP
  }

  #note({ reason }: { readonly reason?: string }): void {
    if (reason !== undefined) this.reasons.push(reason)
  }

  async #stream(response: ServerResponse): Promise<void> {
    // Like the real stream route: never while the request is still being parsed.
    await Promise.resolve()
    const socket = this.edge.handOver(response, () => takeSocket(response))
    socket?.on('data', () => undefined).on('end', () => socket.destroy())
    socket?.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n')
  }

  async open(how: Parameters<typeof RawClient.open>[1] = {}): Promise<RawClient> {
    const client = await RawClient.open(this.url, how)
    this.#clients.push(client)
    return client
  }

  /** A client that has received its first answer, or the beginning of a stream. */
  async ask(path: string, headers = ''): Promise<RawClient> {
    const client = await this.open({ bytes: get(path, headers) })
    await this.answered(client)
    return client
  }

  answered(client: RawClient, count = 1): Promise<void> {
    return vi.waitFor(() => {
      if (client.statuses.length < count) throw new Error(`${client.statuses.length} answers`)
    }, patience)
  }

  /** Resolves when the server has this number of connections. */
  async has(count: number): Promise<void> {
    await vi.waitFor(async () => {
      const open = await this.#open()
      if (open !== count) throw new Error(`${open} connections, not ${count}`)
    }, patience)
  }

  #open(): Promise<number> {
    return new Promise((resolve) => {
      this.edge.server.getConnections((_, count) => resolve(count))
    })
  }

  /** How many connections the server has cut for this reason. */
  async cutFor(why: string): Promise<number> {
    const text = await this.metrics.text()
    return Number(new RegExp(`cut_total\\{why="${why}"\\} (\\d+)`).exec(text)?.[1] ?? 0)
  }

  async close(): Promise<void> {
    for (const { socket } of this.#clients) socket.destroy()
    this.edge.server.closeAllConnections()
    this.edge.closeIdle()
    await new Promise((resolve) => this.edge.server.close(resolve))
  }
}

const patience = { timeout: 20_000, interval: 20 }

const hello: EdgeRoute = (_, response) => response.end('hello')

export const get = (path: string, headers = ''): string =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`

/** The code of the problem document that a client received. */
export const codeOf = ({ heard }: RawClient): string | undefined =>
  /"code":"([a-z_]+)"/.exec(heard)?.[1]
