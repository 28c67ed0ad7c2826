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

/**
 * How many bytes Node's parser gets at a time. It emits every request in a piece before anything
 * can stop it, so this bounds the requests beyond the limit: 28 of the shortest.
 */
const pieceBytes = 512
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
  /** Null once the connection carries a stream, to release Node's parser. */
  #feed: ParserFeed | null
  #rest: Buffer | null = null
  #isHeld = false
  #takenBytes = 0
  #takenAt: Instant

  /** `feed` passes received bytes to Node's parser. */
  constructor(socket: Socket, feed: ParserFeed, start: ConnectionStart) {
    this.socket = socket
    this.start = start
    this.client = start.client
    this.quietSince = start.since
    this.#takenAt = start.since
    this.#feed = feed
  }

  get isIdle(): boolean {
    return this.current === null && this.#waiting.length === 0 && !this.isStream
  }

  /** Parses received bytes, as far as there is room for more requests. */
  received(bytes: Buffer, now: Instant): void {
    if (this.isOver) return
    if (this.isIdle) this.headSince ??= now
    this.#rest = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes])
    this.pump()
  }

  /** Gives waiting bytes to the parser. Stops while the socket is paused, by us or by Node. */
  pump(): void {
    while (this.#rest !== null && !this.isOver && !this.socket.destroyed) {
      if (this.#waiting.length >= this.start.pipelinedMax) this.#hold()
      if (this.socket.isPaused()) return
      const rest = this.#rest
      this.#rest = rest.length > pieceBytes ? rest.subarray(pieceBytes) : null
      this.#feed?.(rest.subarray(0, pieceBytes))
    }
  }

  #hold(): void {
    if (this.socket.isPaused()) return
    this.#isHeld = true
    this.socket.pause()
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
    if (this.#isHeld && this.#waiting.length < this.start.pipelinedMax) {
      this.#isHeld = false
      // The socket's `resume` event calls `pump`.
      this.socket.resume()
    }
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
