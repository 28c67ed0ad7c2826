import type { Socket } from 'node:net'
import { describeError } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import { sseFrame } from '@settlewire/core/wire/sse'
import type { Frame, Subscriber } from '../../engine/topic/hub.ts'
import type { Stop } from '../../ports/stop.ts'
import type { KeyRefusal } from '../key-refusal.ts'
import { isEnd, isWatchedOut, type Standing, type Until } from './stream-end.ts'

/** Why a stream ended. */
export type Ending =
  /** It told an end, or time has made one. */
  | 'finished'
  /** The client closed, or the network did. */
  | 'left'
  /** The client read too slowly. */
  | 'slow'
  /** The client talked, and would not stop. */
  | 'noisy'
  /** The key that it was opened with is refused from now on. */
  | 'refused'
  /** The history could not be read. */
  | 'lost'
  /** This process closes. */
  | 'closing'

/** What streams share: their limit, and whom they tell of themselves. */
export interface StreamWatch {
  readonly bufferedBytesMax: number
  pushed(stream: Stream): void
  over(stream: Stream, why: Ending): void
  now(): Instant
}

/** How a stream begins. */
export interface StreamStart {
  readonly paymentId: string
  readonly chains: readonly string[]
  /** The payment's last sequence as known now. */
  readonly head: number
  readonly until: Until
  /** When the payment stops being watched. */
  readonly monitorUntil: Instant
  /** When the request came in. */
  readonly since: Instant
}

/** What a client may send after its request. It is not read, only counted. */
const ignoredBytesMax = 16_384
const comeBack = Buffer.from(sseFrame({ retry: 2_000 }))

/** One open stream: a position, and a socket that is never waited for. */
export class Stream implements Subscriber {
  position = 0
  stop: Stop | null = null
  release: Stop | null = null
  isOver = false
  /** Whether nothing was pushed yet. */
  isFresh = true
  /** By the last event that the client has; null while it was given none. */
  standing: Standing | null = null
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
    this.standing = frame.standing
    if (isEnd(frame.standing, this.start.until)) this.end('finished')
    else this.restAt(this.start.head)
    return !this.isOver
  }

  /** Ends when the client has all there is, up to this sequence, and time has made an end of it. */
  restAt(head: number): void {
    const { standing, start } = this
    if (standing === null || this.position < head) return
    if (isWatchedOut(standing, start, this.#watch.now())) this.end('finished')
  }

  /** False when the stream is over: a client that reads too slowly is cut, and finds all of it when it returns. */
  write(bytes: Buffer): boolean {
    if (this.isOver) return false
    // `socket.write` never refuses: without this, one phone in a tunnel could fill the memory.
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

  /** Says why, in the words of the error catalogue. To come back would be refused with the same code. */
  refuse(code: KeyRefusal): void {
    const data = JSON.stringify({ code, detail: describeError(code).title })
    this.write(Buffer.from(sseFrame({ event: 'refused', data })))
    this.end('refused')
  }

  /** Ends in good order: what was written is still sent. */
  end(why: Ending): void {
    if (why !== 'finished' && why !== 'refused') this.write(comeBack)
    if (this.isOver) return
    this.socket.destroySoon()
    this.#over(why)
  }

  /** The socket has closed. */
  closed(): void {
    this.#over('left')
  }

  /** The client talks, though nobody listens. */
  ignore(bytes: number): void {
    this.#ignoredBytes += bytes
    if (this.#ignoredBytes <= ignoredBytesMax) return
    this.socket.destroy()
    this.#over('noisy')
  }

  #over(why: Ending): void {
    if (this.isOver) return
    this.isOver = true
    this.stop?.()
    this.release?.()
    this.#watch.over(this, why)
  }
}
