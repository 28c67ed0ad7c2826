import type { Socket } from 'node:net'
import { describeError } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import { sseFrame } from '@settlewire/core/wire/sse'
import type { Frame, Subscriber } from '../../engine/topic/hub.ts'
import type { Stop } from '../../ports/stop.ts'
import type { KeyRefusal } from '../key-refusal.ts'
import { type EventStanding, isEnd, isWatchedOut } from './stream-end.ts'
import type { StreamOwner } from './stream-limits.ts'
import type { StreamSource } from './stream-source.ts'

/** Why a stream ended. */
export type StreamEnding =
  /** The final event was sent, or the payment expired and its watch is over. */
  | 'finished'
  /** The client or the network closed the connection. */
  | 'left'
  /** The client read too slowly. */
  | 'slow'
  /** The client sent too many bytes after its request. */
  | 'noisy'
  /** The key with which it was opened is no longer valid. */
  | 'refused'
  /** The history could not be read. */
  | 'lost'
  /** It has reached the age at which streams are ended. */
  | 'aged'
  /** This process closes. */
  | 'closing'

/** What all streams share: the limit of unread bytes, and callbacks. */
export interface StreamWatch {
  readonly bufferedBytesMax: number
  pushed(stream: Stream): void
  over(stream: Stream, why: StreamEnding): void
  now(): Instant
}

/** The request of a stream. */
export interface StreamStart {
  readonly source: StreamSource
  readonly owner: StreamOwner
  /** The last position of the source when the stream was opened. */
  readonly head: number
  /** When the request came in. */
  readonly since: Instant
  /** When the stream is to be ended because of its age. */
  readonly endsAt: Instant
}

/** How many bytes a client may send after its request. They are counted and dropped. */
const ignoredBytesMax = 16_384
/** How long a client waits before it connects again, unless the stream ends with another time. */
export const retryMs = 2_000

/** One open stream: a position and a socket. Writes never wait for the client to read. */
export class Stream implements Subscriber {
  position = 0
  stop: Stop | null = null
  release: Stop | null = null
  isOver = false
  /** Whether no event was pushed yet. */
  isFresh = true
  /**
   * Status and finality after the last event that this stream has sent, or after the newest event
   * if the client came with it; null before.
   */
  standing: EventStanding | null = null
  readonly socket: Socket
  readonly start: StreamStart
  readonly #watch: StreamWatch
  #ignoredBytes = 0

  constructor(socket: Socket, start: StreamStart, watch: StreamWatch) {
    this.socket = socket
    this.start = start
    this.#watch = watch
  }

  push(frame: Frame): boolean {
    if (!this.write(frame.sse)) return false
    this.#watch.pushed(this)
    this.isFresh = false
    const { ends } = this.start.source
    if (ends === null) return true
    this.standing = frame.standing
    if (isEnd(frame.standing, ends.until)) this.end('finished')
    else this.restAt(this.start.head)
    return !this.isOver
  }

  /** Ends the stream if the client has all events up to `head` and the payment's watch is over. */
  restAt(head: number): void {
    const { ends } = this.start.source
    if (ends === null || this.standing === null || this.position < head) return
    if (isWatchedOut(this.standing, ends, this.#watch.now())) this.end('finished')
  }

  /** False if the stream is over. A slow client is cut and gets all events when it reconnects. */
  write(bytes: Buffer): boolean {
    if (this.isOver) return false
    // `socket.write` never refuses: without this limit one stalled client could fill the memory.
    if (this.socket.writableLength + bytes.length > this.#watch.bufferedBytesMax) {
      this.socket.destroy()
      this.#over('slow')
      return false
    }
    this.socket.write(bytes)
    return true
  }

  lost(): void {
    this.end('lost')
  }

  /** Ends the stream if it is old enough: its age varies, so few end at the same time. */
  endIfOld(): void {
    if (this.#watch.now() >= this.start.endsAt) this.end('aged')
  }

  /** Sends the error and ends the stream. No `retry`: a new request gets the same error. */
  refuse(code: KeyRefusal): void {
    const data = JSON.stringify({ code, detail: describeError(code).title })
    this.write(Buffer.from(sseFrame({ event: 'refused', data })))
    this.end('refused')
  }

  /**
   * Ends the stream after all written bytes are sent. Unless it is finished or refused, the last of
   * them let the client come back after `returnMs`.
   */
  end(why: StreamEnding, returnMs = retryMs): void {
    if (why !== 'finished' && why !== 'refused') {
      this.write(Buffer.from(sseFrame({ retry: returnMs })))
    }
    if (this.isOver) return
    this.socket.destroySoon()
    this.#over(why)
  }

  /** The socket has closed. */
  closed(): void {
    this.#over('left')
  }

  /** Counts bytes that the client sends after its request, and cuts it beyond the limit. */
  ignore(bytes: number): void {
    this.#ignoredBytes += bytes
    if (this.#ignoredBytes <= ignoredBytesMax) return
    this.socket.destroy()
    this.#over('noisy')
  }

  #over(why: StreamEnding): void {
    if (this.isOver) return
    this.isOver = true
    this.stop?.()
    this.release?.()
    this.#watch.over(this, why)
  }
}
