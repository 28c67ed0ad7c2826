import type { Channel } from './channel.ts'

type Listener = (this: StreamSocket, ...values: never[]) => void

/** The part of a socket that a stream uses, over the model's channel. */
export class StreamSocket {
  destroyed = false
  readonly writableLength = 0
  readonly #channel: Channel
  readonly #later: (call: () => void) => void
  readonly #listeners = new Map<string, Listener[]>()
  #hasHead = false

  /** `later` runs a call in the process, soon. */
  constructor(channel: Channel, later: (call: () => void) => void) {
    this.#channel = channel
    this.#later = later
    channel.onLeft(() => later(() => this.#close()))
  }

  on(event: string, listener: Listener): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener])
    return this
  }

  cork(): void {
    // All writes of one moment arrive together anyway.
  }

  uncork(): void {
    // See `cork`.
  }

  /** The first write contains the complete head. */
  write(bytes: string | Buffer): boolean {
    if (this.destroyed) return false
    const piece = Buffer.from(bytes)
    if (this.#hasHead) this.#channel.bytes(piece)
    else {
      this.#hasHead = true
      const end = piece.indexOf('\r\n\r\n')
      this.#channel.head(200, { 'content-type': 'text/event-stream' })
      this.#channel.bytes(piece.subarray(end + 4))
    }
    return true
  }

  destroySoon(): void {
    if (this.destroyed) return
    this.#channel.end()
    this.#later(() => this.#close())
  }

  destroy(): void {
    if (this.destroyed) return
    this.#channel.broken()
    this.#later(() => this.#close())
  }

  #close(): void {
    if (this.destroyed) return
    this.destroyed = true
    for (const listener of this.#listeners.get('close') ?? []) listener.call(this)
  }
}
