import type { Socket } from 'node:net'
import type { ErrorCode } from '@settlewire/core/errors'
import type { EdgeLimits } from '../../edge-limits.ts'
import type { EdgeMetrics } from '../../metrics.ts'
import { clientOf, isLoopback, plainAddress } from './client-address.ts'
import type { ConnectionStart, HttpConnection } from './connection.ts'

/** How many connections over a limit stay open, to be answered with an error or `/healthz`. */
export const overLimitMax = 64

/** The connections and proxied requests of one client. */
interface ClientConnections {
  open: number
  /** Its connections without a request, the longest idle first. */
  readonly idle: Set<HttpConnection>
}

/**
 * All connections by client. At a limit a new connection replaces the one that has been idle for
 * the longest time. Without an idle one it is over the limit: answered only with an error or by
 * operator routes. Every operation is O(1).
 */
export class Connections {
  readonly #limits: EdgeLimits
  readonly #metrics: EdgeMetrics
  readonly #bySocket = new Map<Socket, HttpConnection>()
  readonly #idle = new Set<HttpConnection>()
  readonly #overLimit = new Set<HttpConnection>()
  readonly #idleOverLimit = new Set<HttpConnection>()
  readonly #clients = new Map<string, ClientConnections>()

  constructor({ limits, metrics }: { limits: EdgeLimits; metrics: EdgeMetrics }) {
    this.#limits = limits
    this.#metrics = metrics
  }

  of(socket: Socket): HttpConnection | undefined {
    return this.#bySocket.get(socket)
  }

  get all(): Iterable<HttpConnection> {
    return this.#bySocket.values()
  }

  get size(): number {
    return this.#bySocket.size
  }

  /**
   * Finds the client of a new connection and the limit that it exceeds. At a limit this cuts an
   * idle connection, if there is one. Null if the new connection must be closed at once.
   */
  admit(socket: Socket): Pick<ConnectionStart, 'peer' | 'client' | 'overLimit'> | null {
    const peer = plainAddress(socket.remoteAddress ?? '')
    const client = this.counted(peer)
    const overLimit = this.#exceededLimit(client)
    const { size } = this.#overLimit
    if (overLimit !== null && size >= overLimitMax && !this.#makeRoom(this.#idleOverLimit))
      return null
    return { peer, client, overLimit }
  }

  /** The client that an address counts towards; null if it is not counted. */
  counted(address: string): string | null {
    const isFree = isLoopback(address) && !this.#limits.countsOwnMachine
    return isFree || address === '' ? null : clientOf(address)
  }

  #exceededLimit(client: string | null): ErrorCode | null {
    if (client !== null && !this.hasRoom(client)) {
      const idle = this.#clients.get(client)?.idle
      if (idle === undefined || !this.#makeRoom(idle)) return 'too_many_from_address'
    }
    const isFull = this.size - this.#overLimit.size >= this.#limits.connectionsMax
    return isFull && !this.#makeRoom(this.#idle) ? 'too_many_connections' : null
  }

  #makeRoom(idle: ReadonlySet<HttpConnection>): boolean {
    const [longest] = idle
    if (longest === undefined) return false
    this.cut(longest, 'made_room')
    return true
  }

  add(connection: HttpConnection): void {
    this.#bySocket.set(connection.socket, connection)
    if (connection.start.overLimit !== null) this.#overLimit.add(connection)
    else if (connection.client !== null) this.enter(connection.client)
    this.markIdle(connection)
    this.#metrics.connectionsOpen(this.size)
  }

  /** The connection waits for a request. */
  markIdle(connection: HttpConnection): void {
    if (!this.#bySocket.has(connection.socket)) return
    if (connection.start.overLimit !== null) {
      this.#idleOverLimit.add(connection)
      return
    }
    this.#idle.add(connection)
    if (connection.client !== null) this.#clients.get(connection.client)?.idle.add(connection)
  }

  /** The connection has a request, or carries a stream. */
  markBusy(connection: HttpConnection): void {
    this.#idleOverLimit.delete(connection)
    this.#idle.delete(connection)
    if (connection.client !== null) this.#clients.get(connection.client)?.idle.delete(connection)
  }

  /** A proxy's connection: from now on its requests count by their forwarded clients, not it. */
  countByForwardedClient(connection: HttpConnection): void {
    if (connection.client === null || connection.start.overLimit !== null) return
    this.markBusy(connection)
    this.leave(connection.client)
    connection.client = null
  }

  hasRoom(client: string): boolean {
    return (this.#clients.get(client)?.open ?? 0) < this.#limits.connectionsPerAddressMax
  }

  /** Counts a connection of this client, or one of its requests that came through a proxy. */
  enter(client: string): void {
    const known = this.#clients.get(client)
    if (known === undefined) this.#clients.set(client, { open: 1, idle: new Set() })
    else known.open++
  }

  /** A proxied request has ended, or it became a stream and counts until its connection closes. */
  requestOver(connection: HttpConnection, client: string): void {
    const goesOn = connection.isStream && this.#bySocket.has(connection.socket)
    if (goesOn) connection.client = client
    else this.leave(client)
  }

  leave(client: string): void {
    const known = this.#clients.get(client)
    if (known === undefined) return
    known.open--
    if (known.open === 0) this.#clients.delete(client)
  }

  /** Closes the connection at once and drops unsent bytes. */
  cut(connection: HttpConnection, why: string): void {
    this.#metrics.connectionCut(why)
    connection.isOver = true
    connection.socket.destroy()
    this.forget(connection)
  }

  /** The connection has closed. */
  forget(connection: HttpConnection): void {
    if (!this.#bySocket.delete(connection.socket)) return
    this.markBusy(connection)
    if (connection.start.overLimit !== null) this.#overLimit.delete(connection)
    else if (connection.client !== null) this.leave(connection.client)
    this.#metrics.connectionsOpen(this.size)
  }
}
