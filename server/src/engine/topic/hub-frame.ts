import type { Instant } from '@settlewire/core/instant'
import { dataOf } from '@settlewire/core/payment/event-text'
import type { Finality, Status } from '@settlewire/core/payment/status-model'
import { sseFrame } from '@settlewire/core/wire/sse'
import type { StoredEvent } from '../../ports/history.ts'

/** An event for many subscribers, encoded once: all of them get the same bytes. */
export class Frame {
  readonly stored: StoredEvent
  /** The position in the topic that is followed. */
  readonly position: number
  /** When this process got it. */
  readonly takenAt: Instant
  #sse: Buffer | null = null
  #standing: { readonly status: Status; readonly finality: Finality } | null = null

  constructor(stored: StoredEvent, position: number, takenAt: Instant) {
    this.stored = stored
    this.position = position
    this.takenAt = takenAt
  }

  /** Status and finality of the payment after this event. Parsed once for all subscribers. */
  get standing(): { readonly status: Status; readonly finality: Finality } {
    if (this.#standing === null) {
      const { status, finality } = dataOf(this.stored)
      this.#standing = { status, finality }
    }
    return this.#standing
  }

  /** As a server-sent event. Encoded at first use, then shared: never write into it. */
  get sse(): Buffer {
    this.#sse ??= encode(this.stored)
    return this.#sse
  }
}

function encode({ id, type, dataJson }: StoredEvent): Buffer {
  const text = sseFrame({ id, event: type, data: dataJson })
  // Not `Buffer.from`: a slice of the shared pool would keep 8 KB alive for each frame that is
  // kept.
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}
