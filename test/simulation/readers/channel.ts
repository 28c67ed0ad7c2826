import type { Timeline } from '../timeline.ts'
import type { Device } from './device.ts'

/** Receives the parts of an answer on the device. */
export interface Hearer {
  head(status: number, headers: Readonly<Record<string, string>>): void
  bytes(piece: Uint8Array): void
  /** The body is complete. */
  end(): void
  /** The connection broke. */
  broken(): void
}

export interface ChannelParts {
  readonly timeline: Timeline
  readonly device: Device
  readonly latencyMs: number
  /** From this time on nothing passes and neither end notices, by the timeline; null: never. */
  readonly muteAt: number | null
  readonly hearer: Hearer
}

/** One request and its answer: delayed, in order, and lost without an error once it is mute. */
export class Channel {
  readonly #parts: ChannelParts
  #isOver = false
  #muteAt: number
  #left: (() => void) | null = null

  constructor(parts: ChannelParts) {
    this.#parts = parts
    this.#muteAt = parts.muteAt ?? Number.POSITIVE_INFINITY
  }

  /** Whether what is sent no longer arrives. */
  get isMute(): boolean {
    return this.#parts.timeline.elapsed >= this.#muteAt
  }

  /** Since when, or from when on, nothing passes. */
  get muteAt(): number {
    return this.#muteAt
  }

  /** `call` runs when the device has hung up. */
  onLeft(call: () => void): void {
    this.#left = call
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.#carry(({ hearer }) => hearer.head(status, headers))
  }

  bytes(piece: Uint8Array): void {
    this.#carry(({ hearer }) => hearer.bytes(piece))
  }

  end(): void {
    this.#carry(({ hearer }) => hearer.end())
    this.#isOver = true
  }

  broken(): void {
    this.#carry(({ hearer }) => hearer.broken())
    this.#isOver = true
  }

  /** The machine lost its power: the connection goes mute without an error at either end. */
  vanish(): void {
    this.#muteAt = Math.min(this.#muteAt, this.#parts.timeline.elapsed)
  }

  /** The device closes the connection. */
  hangUp(): void {
    const { timeline, latencyMs } = this.#parts
    if (this.#isOver || this.isMute) return
    this.#isOver = true
    timeline.after(latencyMs, () => this.#left?.())
  }

  /** Equal delays keep the order. */
  #carry(arrive: (parts: ChannelParts) => void): void {
    const { timeline, device, latencyMs } = this.#parts
    if (this.#isOver || this.isMute) return
    timeline.after(latencyMs, () => {
      if (!this.isMute) device.happens(() => arrive(this.#parts))
    })
  }
}
