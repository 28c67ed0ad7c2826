import type { Socket } from 'node:net'
import type { Clock } from '../ports/clock.ts'
import type { Stop } from '../ports/stop.ts'

/** Beyond this, bytes wait in the sender's socket. */
const heldBytesMax = 1 << 20

/**
 * One direction of a connection: it forwards bytes in order, each `lagMs` later. It holds at most a
 * megabyte, then its sender has to wait. An end is forwarded after the bytes before it.
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

  /** Sets the lag. Bytes that are already held never arrive later than before. */
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

  /** Ends the far side, after all held bytes. */
  end(): void {
    this.#hasEnded = true
    this.#carry()
  }

  /** Drops all held bytes and forwards nothing more. */
  close(): void {
    this.#stop?.()
    this.#held.length = 0
    this.#hasEnded = false
  }

  #carry(): void {
    this.#stop?.()
    this.#stop = null
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
      // The socket's `drain` event or the timer calls this again.
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
