import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ErrorCode, Failure } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'

/** A request on a connection, and the answer to it. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** When its head was complete. */
  readonly since: Instant
  /** Why it is refused, if its head already tells; else null. */
  readonly failure: Failure | null
}

/** Where a connection comes from and whether it is within the limits. */
export interface ConnectionStart {
  /** The address of the other end. */
  readonly peer: string
  /** The client it counts towards (see `clientOf`); null if it is not counted. */
  readonly client: string | null
  /** The limit it exceeds: then only operators' routes are answered. Null within the limits. */
  readonly overLimit: ErrorCode | null
  readonly since: Instant
  readonly pipelinedMax: number
}

type ParserFeed = (bytes: Buffer) => void

/** What a connection needs to parse its bytes. */
export interface ConnectionWork {
  /** Called for the first bytes. The result passes bytes to Node's parser. */
  openParser(): ParserFeed
  /** Runs a task, now or in a later round of the event loop. */
  inTurn(task: () => void): void
  /** Called when requests are not read because `pipelinedMax` others wait; once until none waits. */
  paused(): void
}

/**
 * How many bytes Node's parser gets at a time. It emits every request in a piece before anything
 * can stop it, so this bounds the requests beyond the limit: 28 of the shortest.
 */
const pieceBytes = 512
const probes = ['/healthz', '/readyz']
  .flatMap((path) => [`GET ${path}`, `HEAD ${path}`])
  .map((start) => Buffer.from(start))

/** Whether these bytes, the first of a request, ask for `/healthz` or `/readyz`. */
const isProbe = (bytes: Buffer): boolean =>
  probes.some((start) => bytes.subarray(0, start.length).equals(start))

/** A client gets one more second for every 16 KB that it has to read. */
const slowestBytesPerMs = 16.384

/**
 * One connection: its requests, answered one after the other in the order they came, and its bytes
 * that are not parsed yet. Beyond `pipelinedMax` waiting requests nothing more is read from it.
 */
export class HttpConnection {
  readonly socket: Socket
  readonly start: ConnectionStart
  client: string | null
  isStream = false
  /** Whether it was cut: further bytes from it are ignored. */
  isOver = false
  hasAsked = false
  current: Exchange | null = null
  readonly #waiting: Exchange[] = []
  /** Since when no request is being answered. */
  quietSince: Instant
  /** When the first bytes of an incomplete request came; null without an incomplete request. */
  headSince: Instant | null = null
  readonly #work: ConnectionWork
  /** Null before the first bytes, and again as a stream: then Node's parser is released. */
  #feed: ParserFeed | null = null
  #rest: Buffer | null = null
  #isHeld = false
  #waitsForTurn = false
  /** Whether it has had more requests than it may pipeline, and some of them still wait. */
  #isFull = false
  #takenBytes = 0
  #takenAt: Instant

  constructor(socket: Socket, start: ConnectionStart, work: ConnectionWork) {
    this.socket = socket
    this.start = start
    this.#work = work
    this.client = start.client
    this.quietSince = start.since
    this.#takenAt = start.since
  }

  get isIdle(): boolean {
    return !(this.current || this.#waiting.length > 0 || this.isStream || this.#waitsForTurn)
  }

  /** Whether received bytes wait to be parsed. */
  get waitsForTurn(): boolean {
    return this.#waitsForTurn
  }

  /**
   * Parses received bytes in a turn, and `/healthz` and `/readyz` at once: parsing the first
   * requests of a thousand new connections takes half a second. Nothing more is read until then.
   */
  received(bytes: Buffer, now: Instant): void {
    if (this.isOver || this.isStream) return
    this.#rest = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes])
    if (this.#waitsForTurn) return
    const isStart = this.isIdle && this.headSince === null
    if (this.isIdle) this.headSince ??= now
    if (isStart && isProbe(this.#rest)) {
      this.pump()
      return
    }
    this.#waitsForTurn = true
    this.#work.inTurn(() => {
      this.#waitsForTurn = false
      this.#release()
      this.pump()
    })
    if (this.#waitsForTurn) this.#hold()
  }

  /**
   * Gives waiting bytes to the parser, as far as there is room for more requests. Stops while the
   * socket is paused, by us or by Node.
   */
  pump(): void {
    if (this.#waitsForTurn) return
    while (this.#rest !== null && !this.isOver && !this.socket.destroyed) {
      if (this.#waiting.length >= this.start.pipelinedMax) this.#holdFurther()
      if (this.socket.isPaused()) return
      const rest = this.#rest
      this.#rest = rest.length > pieceBytes ? rest.subarray(pieceBytes) : null
      this.#feed ??= this.#work.openParser()
      this.#feed(rest.subarray(0, pieceBytes))
    }
  }

  #holdFurther(): void {
    this.#hold()
    if (!this.#isFull) this.#work.paused()
    this.#isFull = true
  }

  #hold(): void {
    if (this.socket.isPaused()) return
    this.#isHeld = true
    this.socket.pause()
  }

  /** Lets the socket read again. Its `resume` event calls `pump`. */
  #release(): void {
    if (!this.#isHeld || this.#waitsForTurn || this.#waiting.length >= this.start.pipelinedMax) {
      return
    }
    this.#isHeld = false
    this.socket.resume()
  }

  /** Queues a request whose head is complete. */
  asked(exchange: Exchange): void {
    this.hasAsked = true
    this.headSince = null
    this.#waiting.push(exchange)
  }

  /** Makes the next request the current one; null if none waits, or one is being answered. */
  next(): Exchange | null {
    if (this.current !== null || this.isOver) return null
    this.current = this.#waiting.shift() ?? null
    if (this.#waiting.length === 0) this.#isFull = false
    this.#release()
    return this.current
  }

  /** The current request was answered, or its client has disconnected. */
  answered(now: Instant): void {
    this.current = null
    this.quietSince = now
  }

  /** From now on the connection carries a stream and nothing else. */
  becomeStream(): void {
    this.isStream = true
    this.current = null
    this.#waiting.length = 0
    this.#rest = null
    this.#feed = null
    if (this.#isHeld) this.socket.resume()
  }

  /** Bytes it keeps in memory: not yet read by its client, or not yet parsed by us. */
  get heldBytes(): number {
    const { writableLength, readableLength } = this.socket
    return writableLength + readableLength + (this.#rest?.length ?? 0)
  }

  /** Whether its client reads too slowly. To be called about once a second. */
  isStalled(now: Instant, writeMs: number): boolean {
    const { writableLength: unread } = this.socket
    const taken = unread === 0 ? -1 : this.socket.bytesWritten - unread
    if (unread === 0 || taken !== this.#takenBytes) {
      this.#takenBytes = taken
      this.#takenAt = now
    }
    return now - this.#takenAt >= writeMs + unread / slowestBytesPerMs
  }
}
