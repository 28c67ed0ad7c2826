import { connect, type Socket } from 'node:net'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { vi } from 'vitest'

/** What to ask for, and how. */
export interface StreamAsk {
  readonly port: number
  readonly path?: string
  readonly method?: string
  readonly version?: '1.0' | '1.1'
  readonly headers?: Readonly<Record<string, string>>
}

/** A reader of one stream on a bare socket: it sees each byte, and can be as rude as a client can. */
export class StreamClient {
  readonly socket: Socket
  /** All that has come, head included. */
  text = ''
  /** What came first, in one piece. */
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

  /** The status of the answer, once its head is there. */
  get status(): number | null {
    return this.#isHead ? null : Number(this.text.slice(9, 12))
  }

  /** The lines of the answer's head, without the first. */
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
    // The data of our own events; a test that reads something else is wrong.
    return this.told.map(({ data }) => (JSON.parse(data) as { sequence: number }).sequence)
  }

  /** What an `EventSource` would send to go on. */
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
