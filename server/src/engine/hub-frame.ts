import type { Instant } from '@settlewire/core/instant'
import { sseFrame } from '@settlewire/core/sse'
import type { StoredEvent } from '../ports.ts'

/** An event on its way to many: whoever needs it as bytes gets the same bytes. */
export class Frame {
  readonly stored: StoredEvent
  readonly sequence: number
  /** When it came to this process. */
  readonly takenAt: Instant
  #sse: Buffer | null = null

  constructor(stored: StoredEvent, takenAt: Instant) {
    this.stored = stored
    this.sequence = stored.event.data.sequence
    this.takenAt = takenAt
  }

  /** As a server-sent event. Encoded at first use, then shared: never write into it. */
  get sse(): Buffer {
    this.#sse ??= encode(this.stored)
    return this.#sse
  }
}

function encode({ event, dataJson }: StoredEvent): Buffer {
  const text = sseFrame({ id: event.id, event: `payment_intent.${event.type}`, data: dataJson })
  // Not `Buffer.from`: a slice of the shared pool would keep 8 KB alive for each frame that is kept.
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}
