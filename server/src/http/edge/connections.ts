import type { Socket } from 'node:net'
import type { ErrorCode } from '@settlewire/core/errors'
import type { EdgeLimits } from '../../edge-limits.ts'
import type { EdgeMetrics } from '../../metrics.ts'
import { clientOf, isOwnMachine, plainAddress } from './client-address.ts'
import type { Connection, ConnectionStart } from './connection.ts'

/** Connections beyond the limits that may wait for an answer that says so, or for `/healthz`. */
export const surplusMax = 64

/** What one client has open. */
interface Client {
  open: number
  /** Its connections without a request, the one that has been so for the longest time first. */
  readonly idle: Set<Connection>
}

/**
 * All connections, and whom they belong to. At a limit a new connection takes the place of the one that
 * has been idle for the longest time; where none is idle it is surplus. Every operation is O(1).
 */
export class Connections {
  readonly #limits: EdgeLimits
  readonly #metrics: EdgeMetrics
  readonly #bySocket = new Map<Socket, Connection>()
  readonly #idle = new Set<Connection>()
  readonly #surplus = new Set<Connection>()
  readonly #idleSurplus = new Set<Connection>()
  readonly #clients = new Map<string, Client>()

  constructor({ limits, metrics }: { limits: EdgeLimits; metrics: EdgeMetrics }) {
    this.#limits = limits
    this.#metrics = metrics
  }

  of(socket: Socket): Connection | undefined {
    return this.#bySocket.get(socket)
  }

  get all(): Iterable<Connection> {
    return this.#bySocket.values()
  }

  get size(): number {
    return this.#bySocket.size
  }

  /** Where a new connection comes from, and whether there is room; null when it must be closed at once. */
  place(socket: Socket): Pick<ConnectionStart, 'peer' | 'client' | 'surplus'> | null {
    const peer = plainAddress(socket.remoteAddress ?? '')
    const client = this.counted(peer)
    const surplus = this.#surplusOf(client)
    const { size } = this.#surplus
    if (surplus !== null && size >= surplusMax && !this.#makeRoom(this.#idleSurplus)) return null
    return { peer, client, surplus }
  }

  /** What an address is counted as; null where it is not counted. */
  counted(address: string): string | null {
    const isFree = isOwnMachine(address) && !this.#limits.countsOwnMachine
    return isFree || address === '' ? null : clientOf(address)
  }

  #surplusOf(client: string | null): ErrorCode | null {
    if (client !== null && !this.hasRoom(client)) {
      const idle = this.#clients.get(client)?.idle
      if (idle === undefined || !this.#makeRoom(idle)) return 'too_many_from_address'
    }
    const isFull = this.size - this.#surplus.size >= this.#limits.connectionsMax
    return isFull && !this.#makeRoom(this.#idle) ? 'too_many_connections' : null
  }

  #makeRoom(idle: ReadonlySet<Connection>): boolean {
    const [longest] = idle
    if (longest === undefined) return false
    this.cut(longest, 'made_room')
    return true
  }

  add(connection: Connection): void {
    this.#bySocket.set(connection.socket, connection)
    if (connection.start.surplus !== null) this.#surplus.add(connection)
    else if (connection.client !== null) this.enter(connection.client)
    this.idle(connection)
    this.#metrics.connectionsOpen(this.size)
  }

  /** It waits for a request. */
  idle(connection: Connection): void {
    if (!this.#bySocket.has(connection.socket)) return
    if (connection.start.surplus !== null) {
      this.#idleSurplus.add(connection)
      return
    }
    this.#idle.add(connection)
    if (connection.client !== null) this.#clients.get(connection.client)?.idle.add(connection)
  }

  /** It has a request, or carries a stream. */
  busy(connection: Connection): void {
    this.#idleSurplus.delete(connection)
    this.#idle.delete(connection)
    if (connection.client !== null) this.#clients.get(connection.client)?.idle.delete(connection)
  }

  /** It carries requests of others: these are counted, and no longer the connection itself. */
  isProxy(connection: Connection): void {
    if (connection.client === null || connection.start.surplus !== null) return
    this.busy(connection)
    this.leave(connection.client)
    connection.client = null
  }

  hasRoom(client: string): boolean {
    return (this.#clients.get(client)?.open ?? 0) < this.#limits.connectionsPerAddressMax
  }

  /** A connection of this client, or a request of it that a proxy has brought. */
  enter(client: string): void {
    const known = this.#clients.get(client)
    if (known === undefined) this.#clients.set(client, { open: 1, idle: new Set() })
    else known.open++
  }

  /** A request that a proxy has brought is over, or goes on as a stream for as long as its connection. */
  requestOver(connection: Connection, client: string): void {
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

  /** Closes it at once, whatever is unsent. */
  cut(connection: Connection, why: string): void {
    this.#metrics.connectionCut(why)
    connection.isOver = true
    connection.socket.destroy()
    this.forget(connection)
  }

  /** It has closed. */
  forget(connection: Connection): void {
    if (!this.#bySocket.delete(connection.socket)) return
    this.busy(connection)
    if (connection.start.surplus !== null) this.#surplus.delete(connection)
    else if (connection.client !== null) this.leave(connection.client)
    this.#metrics.connectionsOpen(this.size)
  }
}
