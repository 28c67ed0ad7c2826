import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../ports/clock.ts'
import { FaultLane } from './fault-lane.ts'

/** The fault modes of a connection. */
export const faultModes = ['ok', 'outage', 'lag', 'half_open', 'drop_after'] as const
export type FaultMode = (typeof faultModes)[number]

/** A fault mode with its parameters. */
export interface Fault {
  readonly mode: FaultMode
  /** With `lag`: how much later each byte arrives, in each direction. */
  readonly lagMs?: number
  /**
   * With `drop_after`: how many bytes a connection forwards, both ways together, before it is cut.
   */
  readonly afterBytes?: number
}

interface FaultRule {
  /** Whether new connections are accepted. */
  readonly takes: boolean
  /** Whether open connections are cut when the mode begins. */
  readonly cuts: boolean
  /** Whether bytes are forwarded. */
  readonly carries: boolean
}

/** What each mode does to connections. */
const rules: Readonly<Record<FaultMode, FaultRule>> = {
  ok: { takes: true, cuts: false, carries: true },
  outage: { takes: false, cuts: true, carries: false },
  lag: { takes: true, cuts: false, carries: true },
  // Like a far end that has died without notice: no answer, no end, no reset.
  half_open: { takes: true, cuts: false, carries: false },
  drop_after: { takes: true, cuts: false, carries: true },
}

const connectionsMax = 256

/**
 * A TCP relay on loopback in front of a real server that can simulate faults. A mode applies at
 * once to open connections. A connection that lost bytes is reset when forwarding resumes, like a
 * restarted peer resets connections that it does not know.
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

  /** Rejects if the port cannot be used. `port` 0 (the default) takes a free one. */
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
    // The address of a TCP server is an object.
    return (this.#server.address() as AddressInfo).port
  }

  get fault(): Fault {
    return this.#fault
  }

  /** The number of open connections, including those that lost bytes. */
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

  /** Resets all open connections in any mode. New ones are accepted as before. */
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
  /** Whether bytes were lost, so that later bytes must not be forwarded. */
  #isBroken = false
  /** How many bytes it may still forward before it is cut. */
  #leftBytes = Infinity

  constructor(near: Socket, far: Socket, clock: Clock) {
    this.#near = near
    this.#far = far
    const there = new FaultLane(near, far, clock)
    const back = new FaultLane(far, near, clock)
    this.#lanes = [there, back]
    near.on('data', (bytes) => this.#pass(bytes, there))
    far.on('data', (bytes) => this.#pass(bytes, back))
    // A disconnect of the near end always counts; one of the far end is hidden in `half_open`.
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

  /** Whether new data may be forwarded. Called for all data, so that a loss is recorded. */
  #isWhole(): boolean {
    this.#isBroken ||= !rules[this.#fault.mode].carries
    return !this.#isBroken
  }
}
