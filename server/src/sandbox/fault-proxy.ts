import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../ports/clock.ts'
import { FaultLane } from './fault-lane.ts'

/** How a wire can be. */
export const faultModes = ['ok', 'outage', 'lag', 'half_open', 'drop_after'] as const
export type FaultMode = (typeof faultModes)[number]

/** A wire as it is set to be. */
export interface Fault {
  readonly mode: FaultMode
  /** With `lag`: how much later each byte arrives, in each direction. */
  readonly lagMs?: number
  /** With `drop_after`: how many bytes a connection carries, both ways together, until it is cut. */
  readonly afterBytes?: number
}

interface Rule {
  /** Whether new connections are taken. */
  readonly takes: boolean
  /** Whether connections that are open when it begins are cut. */
  readonly cuts: boolean
  /** Whether bytes go on. */
  readonly carries: boolean
}

/** What each mode does to connections. */
const rules: Readonly<Record<FaultMode, Rule>> = {
  ok: { takes: true, cuts: false, carries: true },
  outage: { takes: false, cuts: true, carries: false },
  lag: { takes: true, cuts: false, carries: true },
  // The far end is dead and nobody says so: no answer, no end, no reset.
  half_open: { takes: true, cuts: false, carries: false },
  drop_after: { takes: true, cuts: false, carries: true },
}

const connectionsMax = 256

/**
 * A wire that can be made bad: a TCP relay on loopback before a real server. What its mode changes,
 * it changes for open connections at once. A connection that lost bytes is reset when the wire
 * carries again, as a peer that comes back does with connections that it no longer knows.
 */
export class FaultProxy {
  readonly #server: Server
  readonly #target: { readonly host: string; readonly port: number }
  readonly #clock: Clock
  readonly #wires = new Set<Wire>()
  #fault: Fault = { mode: 'ok' }

  private constructor(server: Server, target: { host: string; port: number }, clock: Clock) {
    this.#server = server
    this.#target = target
    this.#clock = clock
    server.on('connection', (near) => this.#take(near))
  }

  /** Rejects when there is no port to be had. `port` 0, or left out, takes a free one. */
  static async start(
    target: { readonly host?: string; readonly port: number },
    clock: Clock,
    port = 0,
  ): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const proxy = new FaultProxy(server, { host: '127.0.0.1', ...target }, clock)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    return proxy
  }

  get port(): number {
    // A server that listens on TCP has this kind of address.
    return (this.#server.address() as AddressInfo).port
  }

  get fault(): Fault {
    return this.#fault
  }

  /** How many connections stand, broken ones too. */
  get connections(): number {
    return this.#wires.size
  }

  set(fault: Fault): void {
    this.#fault = fault
    const { cuts } = rules[fault.mode]
    for (const wire of this.#wires) {
      if (cuts) wire.cut()
      else wire.be(fault)
    }
  }

  /** Resets every connection, whatever the mode. New ones are taken as before. */
  cut(): void {
    for (const wire of this.#wires) wire.cut()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #take(near: Socket): void {
    const isFull = this.#wires.size >= connectionsMax
    if (!rules[this.#fault.mode].takes || isFull) {
      near.on('error', () => undefined)
      near.resetAndDestroy()
      return
    }
    const far = connect({ ...this.#target, allowHalfOpen: true, noDelay: true })
    const wire = new Wire(near, far, this.#clock)
    this.#wires.add(wire)
    wire.be(this.#fault)
    near.once('close', () => this.#wires.delete(wire))
  }
}

/** One connection through the proxy. */
class Wire {
  readonly #near: Socket
  readonly #far: Socket
  readonly #lanes: readonly FaultLane[]
  #fault: Fault = { mode: 'ok' }
  /** Something was lost on it, so nothing that came later could be right. */
  #isBroken = false
  /** How much it may carry until it is cut. */
  #leftBytes = Infinity

  constructor(near: Socket, far: Socket, clock: Clock) {
    this.#near = near
    this.#far = far
    const there = new FaultLane(near, far, clock)
    const back = new FaultLane(far, near, clock)
    this.#lanes = [there, back]
    near.on('data', (bytes) => this.#pass(bytes, there))
    far.on('data', (bytes) => this.#pass(bytes, back))
    // A near end that goes is gone; a far end that goes behind a dead wire is not heard of.
    near.on('end', () => (this.#isWhole() ? there.end() : this.cut()))
    far.on('end', () => this.#isWhole() && back.end())
    near.on('error', () => this.cut())
    far.on('error', () => this.#isWhole() && this.cut())
    near.on('close', () => this.cut())
  }

  be(fault: Fault): void {
    this.#fault = fault
    if (this.#isBroken && rules[fault.mode].carries) {
      this.cut()
      return
    }
    this.#leftBytes = fault.mode === 'drop_after' ? (fault.afterBytes ?? 0) : Infinity
    for (const lane of this.#lanes) lane.delayBy(fault.mode === 'lag' ? (fault.lagMs ?? 0) : 0)
  }

  cut(): void {
    for (const lane of this.#lanes) lane.close()
    this.#near.resetAndDestroy()
    this.#far.resetAndDestroy()
  }

  #pass(bytes: Buffer, lane: FaultLane): void {
    if (!this.#isWhole()) return
    const mayPass = bytes.subarray(0, this.#leftBytes)
    this.#leftBytes -= mayPass.length
    lane.take(mayPass)
    if (mayPass.length < bytes.length) this.cut()
  }

  /** Whether what comes now may go on. Asked for everything that comes, so that a loss is noted. */
  #isWhole(): boolean {
    this.#isBroken ||= !rules[this.#fault.mode].carries
    return !this.#isBroken
  }
}
