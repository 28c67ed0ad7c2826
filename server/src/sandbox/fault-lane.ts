import type { Socket } from 'node:net'
import type { Clock } from '../ports/clock.ts'
import type { Stop } from '../ports/stop.ts'

/** More than this waits in the sender's socket, not here. */
const heldBytesMax = 1 << 20

/**
 * One direction of a connection: bytes go on in the order they came, each `lagMs` later. It holds at
 * most a megabyte, then its sender has to wait, and an end waits for the bytes before it.
 */
export class FaultLane {
  readonly #from: Socket
  readonly #to: Socket
  readonly #clock: Clock
  readonly #held: { readonly bytes: Buffer; dueAt: number }[] = []
  #heldBytes = 0
  #lagMs = 0
  #hasEnded = false
  #stop: Stop | null = null

  constructor(from: Socket, to: Socket, clock: Clock) {
    this.#from = from
    this.#to = to
    this.#clock = clock
    to.on('drain', () => this.#carry())
  }

  /** What is held already never comes later than it would have. */
  delayBy(lagMs: number): void {
    this.#lagMs = lagMs
    const latest = this.#clock.now() + lagMs
    for (const piece of this.#held) piece.dueAt = Math.min(piece.dueAt, latest)
    this.#carry()
  }

  take(bytes: Buffer): void {
    this.#held.push({ bytes, dueAt: this.#clock.now() + this.#lagMs })
    this.#heldBytes += bytes.length
    if (this.#heldBytes > heldBytesMax) this.#from.pause()
    this.#carry()
  }

  /** Ends the far side, once what is held has been carried. */
  end(): void {
    this.#hasEnded = true
    this.#carry()
  }

  /** Forgets what is held. Nothing goes on any more. */
  close(): void {
    this.#stop?.()
    this.#held.length = 0
    this.#hasEnded = false
  }

  #carry(): void {
    this.#stop?.()
    this.#stop = null
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
      // The socket says when it drains, and the clock when it is time.
      if (this.#to.writableNeedDrain) return
      const restMs = first.dueAt - this.#clock.now()
      if (restMs > 0) {
        this.#stop = this.#clock.after(restMs, () => this.#carry())
        return
      }
      this.#held.shift()
      this.#heldBytes -= first.bytes.length
      this.#to.write(first.bytes)
      if (this.#heldBytes <= heldBytesMax / 2) this.#from.resume()
    }
    if (this.#hasEnded) this.#to.end()
  }
}
