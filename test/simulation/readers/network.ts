import type { Chance } from '../chance.ts'
import type { Timeline } from '../timeline.ts'
import { AnswerBody } from './answer-body.ts'
import { Channel } from './channel.ts'
import type { Device } from './device.ts'

/** Where requests arrive: one process, as its readers see it. */
export interface Door {
  /** Takes the request, now or when the process resumes. False if the process does not listen. */
  take(asked: Asked, channel: Channel): boolean
}

/** A request as it arrives. */
export interface Asked {
  readonly path: string
  readonly query: URLSearchParams
  readonly lastEventId: string | null
}

/** Connects devices with the process that the load balancer picks. */
export class Network {
  readonly #timeline: Timeline
  readonly #chance: Chance
  readonly #doors: () => readonly Door[]
  /** Whether connections stay up: in a calm world none goes mute. */
  isCalm = false

  constructor(timeline: Timeline, chance: Chance, doors: () => readonly Door[]) {
    this.#timeline = timeline
    this.#chance = chance
    this.#doors = doors
  }

  /**
   * `fetch` for a device. `opened` is called for each connection, with whether events arrive on it
   * or the resource.
   */
  fetchOf(device: Device, opened: (channel: Channel, isNews: boolean) => void): typeof fetch {
    const call = (address: string, init: RequestInit = {}): Promise<Response> => {
      const settle = Promise.withResolvers<Response>()
      const timeline = this.#timeline
      const latencyMs = this.#chance.pick([5, 20, 40, 40, 80, 150, 300])
      const isDoomed = !this.isCalm && this.#chance.is(0.06)
      const muteAt = isDoomed ? timeline.elapsed + this.#chance.between(0, 20_000) : null
      const body = new AnswerBody(settle, () => channel.hangUp())
      const channel = new Channel({ timeline, device, latencyMs, muteAt, hearer: body })
      opened(channel, /\/(stream|events)\b/.test(address))
      const signal = init.signal ?? null
      const hangUp = (): void => {
        body.fail(signal?.reason)
        channel.hangUp()
      }
      if (signal?.aborted) hangUp()
      signal?.addEventListener('abort', hangUp, { once: true })
      timeline.after(latencyMs, () => {
        if (signal?.aborted || channel.isMute) return
        const doors = this.#doors()
        const isTaken =
          doors.length > 0 && this.#chance.pick(doors).take(askedOf(address, init), channel)
        if (!isTaken) channel.broken()
      })
      return settle.promise
    }
    // The client always calls it with a string and plain headers.
    return call as typeof fetch
  }
}

function askedOf(address: string, { headers }: RequestInit): Asked {
  const { pathname, searchParams } = new URL(address, 'http://shop.example')
  const plain = (headers ?? {}) as Record<string, string> // as `send` makes them
  return { path: pathname, query: searchParams, lastEventId: plain['last-event-id'] ?? null }
}
