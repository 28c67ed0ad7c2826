import type { Socket } from 'node:net'
import type { ErrorCode } from '@settlewire/core/errors'
import type { EdgeLimits } from '../../edge-limits.ts'
import type { EdgeMetrics } from '../../metrics.ts'
import { clientOf, isLoopback, plainAddress } from './client-address.ts'
import type { ConnectionStart, HttpConnection } from './connection.ts'

/**
 * How many connections over a limit stay open. They get an error, or an answer from an operator
 * route.
 */
export const overLimitMax = 64

/** The connections and proxied requests of one client. */
interface ClientConnections {
  open: number
  /** Its connections without a request, the longest idle first. */
  readonly idle: Set<HttpConnection>
}

/**
 * All connections by client. At a limit a new connection replaces the one that has been idle for
 * the longest time. Without an idle one, the new connection is over the limit: it gets an error, or
 * an answer from an operator route. Every operation is O(1).
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
    const client = this.clientCounted(peer)
    const overLimit = this.#makeRoomOrExceed(client)
    const { size } = this.#overLimit
    if (overLimit !== null && size >= overLimitMax && !this.#makeRoom(this.#idleOverLimit))
      return null
    return { peer, client, overLimit }
  }

  /** The client whose limit this address uses; null if the address has no limit. */
  clientCounted(address: string): string | null {
    const isExempt = isLoopback(address) && !this.#limits.countsOwnMachine
    return isExempt || address === '' ? null : clientOf(address)
  }

  /**
   * At a limit, closes the connection that has been idle for the longest time. Returns the limit
   * that the new connection exceeds because none was idle; null if there is room.
   */
  #makeRoomOrExceed(client: string | null): ErrorCode | null {
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
    this.#leaveIdle(connection)
  }

  /** Removes the connection from all sets of idle connections. */
  #leaveIdle(connection: HttpConnection): void {
    this.#idleOverLimit.delete(connection)
    this.#idle.delete(connection)
    if (connection.client !== null) this.#clients.get(connection.client)?.idle.delete(connection)
  }

  /**
   * The connection comes from a proxy. From now on it is not counted. Its requests are counted
   * instead, each for the client that the proxy names.
   */
  countByForwardedClient(connection: HttpConnection): void {
    if (connection.client === null || connection.start.overLimit !== null) return
    this.#leaveIdle(connection)
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
    this.#leaveIdle(connection)
    if (connection.start.overLimit !== null) this.#overLimit.delete(connection)
    else if (connection.client !== null) this.leave(connection.client)
    this.#metrics.connectionsOpen(this.size)
  }
}
