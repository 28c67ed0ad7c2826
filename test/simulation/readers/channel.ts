import type { Timeline } from '../timeline.ts'
import type { Device } from './device.ts'

/** What a device is told of the answer that it waits for. */
export interface Hearer {
  head(status: number, headers: Readonly<Record<string, string>>): void
  bytes(piece: Uint8Array): void
  /** The body is whole. */
  end(): void
  /** The connection broke. */
  broken(): void
}

export interface ChannelParts {
  readonly timeline: Timeline
  readonly device: Device
  readonly latencyMs: number
  /** From then on nothing passes any more and neither end is told, by the timeline; null: never. */
  readonly muteAt: number | null
  readonly hearer: Hearer
}

/** One request and its answer on their way: late, in order, and lost without a word once it is mute. */
export class Channel {
  readonly #parts: ChannelParts
  #isOver = false
  #muteAt: number
  #left: (() => void) | null = null

  constructor(parts: ChannelParts) {
    this.#parts = parts
    this.#muteAt = parts.muteAt ?? Number.POSITIVE_INFINITY
  }

  /** Whether what is sent still arrives. */
  get isMute(): boolean {
    return this.#parts.timeline.elapsed >= this.#muteAt
  }

  /** Since when nothing has passed, or will pass. */
  get muteAt(): number {
    return this.#muteAt
  }

  /** Called when the device has hung up. */
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

  /** A machine that lost its power says nothing to anybody. */
  vanish(): void {
    this.#muteAt = Math.min(this.#muteAt, this.#parts.timeline.elapsed)
  }

  /** The device wants no more of it. */
  hangUp(): void {
    const { timeline, latencyMs } = this.#parts
    if (this.#isOver || this.isMute) return
    this.#isOver = true
    timeline.after(latencyMs, () => this.#left?.())
  }

  /** Equal delays, so that what is sent first arrives first. */
  #carry(arrive: (parts: ChannelParts) => void): void {
    const { timeline, device, latencyMs } = this.#parts
    if (this.#isOver || this.isMute) return
    timeline.after(latencyMs, () => {
      if (!this.isMute) device.happens(() => arrive(this.#parts))
    })
  }
}
