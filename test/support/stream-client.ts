import { connect, type Socket } from 'node:net'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { vi } from 'vitest'

/** The path and headers of a request. */
export interface StreamAsk {
  readonly port: number
  readonly path?: string
  readonly method?: string
  readonly version?: '1.0' | '1.1'
  readonly headers?: Readonly<Record<string, string>>
}

/** A reader of one stream on a bare socket: it sees each byte and can misbehave in any way. */
export class StreamClient {
  readonly socket: Socket
  /** Everything received, including the head. */
  text = ''
  /** The first chunk. */
  firstPiece: string | null = null
  readonly events: EventSourceMessage[] = []
  readonly comments: string[] = []
  readonly retries: number[] = []
  readonly errors: unknown[] = []
  isClosed = false
  #isHead = true
  readonly #parser = createParser({
    onEvent: (event) => this.events.push(event),
    onComment: (comment) => this.comments.push(comment),
    onRetry: (retry) => this.retries.push(retry),
    onError: (error) => this.errors.push(error),
  })

  constructor({ port, path = '/', method = 'GET', version = '1.1', headers = {} }: StreamAsk) {
    this.socket = connect({ port, host: '127.0.0.1' })
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    this.socket.write(`${method} ${path} HTTP/${version}\r\nHost: test\r\n${lines.join('')}\r\n`)
    this.socket.setEncoding('utf8')
    this.socket.on('data', (piece: string) => this.#read(piece))
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.isClosed = true
    })
  }

  /** The status of the answer, once its head was received. */
  get status(): number | null {
    return this.#isHead ? null : Number(this.text.slice(9, 12))
  }

  /** The header lines of the answer, without the status line. */
  get head(): string[] {
    return this.#isHead
      ? []
      : this.text.slice(0, this.text.indexOf('\r\n\r\n')).split('\r\n').slice(1)
  }

  /** The bytes after the head. */
  get body(): string {
    return this.#isHead ? '' : this.text.slice(this.text.indexOf('\r\n\r\n') + 4)
  }

  /** Events of payments, without heartbeats. */
  get told(): EventSourceMessage[] {
    return this.events.filter(({ event }) => event !== 'heartbeat')
  }

  /** Their sequences. */
  get sequences(): number[] {
    // Only for the data of our own events.
    return this.told.map(({ data }) => (JSON.parse(data) as { sequence: number }).sequence)
  }

  /** The `Last-Event-ID` that an `EventSource` would send to resume. */
  get lastEventId(): string | undefined {
    return this.told.findLast(({ id }) => id !== undefined)?.id
  }

  async until(isTrue: (client: StreamClient) => boolean, timeout = 5_000): Promise<this> {
    await vi.waitFor(
      () => {
        if (!isTrue(this)) throw new Error(`still waiting; so far: ${this.text.slice(-2_000)}`)
      },
      { timeout, interval: 5 },
    )
    return this
  }

  close(): void {
    this.socket.destroy()
  }

  #read(piece: string): void {
    this.firstPiece ??= piece
    this.text += piece
    if (!this.#isHead) {
      this.#parser.feed(piece)
    } else if (this.text.includes('\r\n\r\n')) {
      this.#isHead = false
      this.#parser.feed(this.body)
    }
  }
}
