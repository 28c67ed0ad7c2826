import type { Until } from '@settlewire/client/until'
import { type Connection, watch } from '@settlewire/client/watch'
import type { EventData } from '@settlewire/core/payment/event'
import { statusWords } from '@settlewire/core/words/words'
import type { Channel } from './channel.ts'
import type { Device } from './device.ts'
import { badEndOf } from './ends.ts'
import type { Reader } from './judge.ts'
import type { Network } from './network.ts'
import { howOf, type Said, unitsOf } from './said.ts'
import type { Truth } from './truth.ts'

export interface SdkParts {
  readonly device: Device
  readonly network: Network
  readonly truth: Truth
  readonly until: Until
  readonly note: (what: string) => void
}

/** A program that follows a payment with the SDK, until it is closed or until it is final. */
export class SdkReader implements Reader {
  readonly name: string
  readonly paymentId: string
  readonly device: Device
  channel: Channel | null = null
  asked: Channel | null = null
  readonly #parts: SdkParts
  #last: EventData | null = null
  #connection: Connection | null = null

  constructor(paymentId: string, parts: SdkParts) {
    this.paymentId = paymentId
    this.device = parts.device
    this.name = `watch until ${parts.until}`
    this.#parts = parts
  }

  open(): void {
    const { device, network, until } = this.#parts
    const fetch = network.fetchOf(device, (channel, isNews) => {
      if (isNews) this.channel = channel
      else this.asked = channel
    })
    const { clock, signals } = device
    const access = { baseUrl: '', key: 'secret', fetch }
    watch({ access, paymentId: this.paymentId, until, clock, signals }, (update) => {
      if (update.kind === 'connection') this.#connection = update.connection
      else this.#take(update.event.data, update.continuous)
    })
  }

  said(): Said | null {
    const { data, connection } = { data: this.#last, connection: this.#connection }
    const stand = this.#parts.truth.standsOf(this.paymentId)[0]
    if (data === null || connection === null || stand === undefined) return null
    const units = (printed: string): bigint => BigInt(unitsOf(printed, stand.payment))
    const received = units(data.receivedAmount)
    const seen = received + units(data.pendingAmount)
    const rest = units(data.expectedAmount) - seen
    return {
      isCurrent: connection.state === 'current' || connection.state === 'fallback',
      isOver: connection.state === 'ended',
      isAsking: connection.state === 'fallback',
      how: howOf(connection, this.device.clock.now()),
      statements: {
        status: statusWords[data.status].label,
        // The reason on `replaced` is about the replacement.
        reason: data.replacedTxHash === undefined ? String(data.reason ?? null) : null,
        flags: data.flags.join(' '),
        received: String(received),
        seen: String(seen),
        'to send': String(rest > 0n ? rest : 0n),
        final: String(data.status === 'succeeded' && data.finality === 'final'),
        // Events do not contain the list.
        transfers: null,
      },
      // Polls report nothing about chains, and an earlier report says nothing about now.
      blind:
        connection.chains === null || connection.state !== 'current'
          ? null
          : new Map(connection.chains.map((one) => [one.chain, one.visibility === 'blind'])),
    }
  }

  badEnd(): string | null {
    const { data, connection } = { data: this.#last, connection: this.#connection }
    if (data === null || connection?.state !== 'ended' || connection.reason !== null) return null
    return badEndOf(data, this.#parts.until)
  }

  #take(data: EventData, isContinuous: boolean): void {
    const held = this.#last?.sequence ?? 0
    if (data.sequence <= held || (isContinuous && held > 0 && data.sequence !== held + 1)) {
      this.#parts.note(
        `${this.name} of ${data.id} received sequence ${data.sequence} after ${held}`,
      )
    }
    this.#last = data
  }
}
