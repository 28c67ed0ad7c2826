import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ErrorCode, Failure } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'

/** A request that came on a connection, and the answer it waits for. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** When its head was there. */
  readonly since: Instant
  /** Why it is refused, where that is known by its head alone. */
  readonly failure: Failure | null
}

/** Where a connection comes from and what it may do. */
export interface ConnectionStart {
  /** The other end. */
  readonly peer: string
  /** What it is counted as; null where it is not counted. */
  readonly client: string | null
  /** Why it is beyond a limit: then only operators' routes are answered. Null where it is not. */
  readonly surplus: ErrorCode | null
  readonly since: Instant
  readonly pipelinedMax: number
}

type Feed = (bytes: Buffer) => void

/**
 * What is given to Node's parser at a time. It emits every request of a piece before anything can stop
 * it, so this bounds the requests that come beyond the limit: 28 of the shortest.
 */
const pieceBytes = 512
/** Every 16 KB that a client has to take give it one second more. */
const slowestBytesPerMs = 16.384

/**
 * One connection: its requests, answered one after the other in the order they came, and what it sent
 * and did not yet read. What it sends beyond `pipelinedMax` waiting requests is not read.
 */
export class Connection {
  readonly socket: Socket
  readonly start: ConnectionStart
  client: string | null
  isStream = false
  /** Whether it was cut: what still comes from it means nothing. */
  isOver = false
  hasAsked = false
  current: Exchange | null = null
  readonly #waiting: Exchange[] = []
  /** Since when no request is being answered. */
  quietSince: Instant
  /** When the first bytes of a request came that is not whole; null without. */
  headSince: Instant | null = null
  /** Null once it carries a stream: it would keep Node's parser alive. */
  #feed: Feed | null
  #rest: Buffer | null = null
  #isHeld = false
  #takenBytes = 0
  #takenAt: Instant

  /** `feed` is how Node's parser takes what was received. */
  constructor(socket: Socket, feed: Feed, start: ConnectionStart) {
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

  /** Takes what was received, as far as there is room for its requests. */
  received(bytes: Buffer, now: Instant): void {
    if (this.isOver) return
    if (this.isIdle) this.headSince ??= now
    this.#rest = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes])
    this.pump()
  }

  /** Gives the parser what is at hand. Node pauses a socket too, while much is unsent: then it waits. */
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

  /** A request is whole enough to be answered in its turn. */
  asked(exchange: Exchange): void {
    this.hasAsked = true
    this.headSince = null
    this.#waiting.push(exchange)
  }

  /** Makes the next request the current one; null when there is none, or one is being answered. */
  next(): Exchange | null {
    if (this.current !== null || this.isOver) return null
    this.current = this.#waiting.shift() ?? null
    if (this.#isHeld && this.#waiting.length < this.start.pipelinedMax) {
      this.#isHeld = false
      // `pump` runs when the socket says that it goes on.
      this.socket.resume()
    }
    return this.current
  }

  /** The current request was answered, or its client has gone. */
  answered(now: Instant): void {
    this.current = null
    this.quietSince = now
  }

  /** It carries a stream from now on and nothing else. */
  becomeStream(): void {
    this.isStream = true
    this.current = null
    this.#waiting.length = 0
    this.#rest = null
    this.#feed = null
    if (this.#isHeld) this.socket.resume()
  }

  /** What it keeps in memory: unread by its client, or not yet read by us. */
  get heldBytes(): number {
    const { writableLength, readableLength } = this.socket
    return writableLength + readableLength + (this.#rest?.length ?? 0)
  }

  /** Whether its client takes what was written too slowly. To be asked about once a second. */
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
