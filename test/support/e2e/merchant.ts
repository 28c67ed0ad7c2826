import type { EventData } from '@settlewire/core/payment/event'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { createParser } from 'eventsource-parser'
import type { SandboxFacts } from './server.ts'

/** A merchant's program, which uses only `fetch`. */
export class MerchantProgram {
  readonly #url: string
  readonly #key: string

  constructor(url: string, { secretKey }: Pick<SandboxFacts, 'secretKey'>) {
    this.#url = url
    this.#key = secretKey
  }

  create(body: object): Promise<PaymentIntent> {
    return this.#call('POST', '/v1/payment-intents', body)
  }

  get(id: string): Promise<PaymentIntent> {
    return this.#call('GET', `/v1/payment-intents/${id}`)
  }

  /** Claims a transaction. */
  claim(id: string, txHash: string): Promise<{ known: string; pays: boolean | null }> {
    return this.#call('POST', `/v1/payment-intents/${id}/claims`, { txHash })
  }

  /** The state of a chain. */
  async chain(name: string): Promise<{ visibility: string; reason: string | null }> {
    const { data } = await this.#call<{ data: Chain[] }>('GET', '/v1/chains')
    const found = data.find((chain) => chain.name === name)
    if (found === undefined) throw new Error(`no chain ${name}`)
    return found
  }

  async history(id: string): Promise<readonly EventData[]> {
    const page = await this.#call<{ data: { data: EventData }[] }>(
      'GET',
      `/v1/payment-intents/${id}/events?limit=100`,
    )
    return page.data.map((event) => event.data)
  }

  /** Polls until the intent has this status; rejects with its present state after 30 s. */
  async until(id: string, stands: (intent: PaymentIntent) => boolean): Promise<PaymentIntent> {
    const giveUpAt = Date.now() + 30_000
    for (;;) {
      const intent = await this.get(id)
      if (stands(intent)) return intent
      if (Date.now() > giveUpAt) throw new Error(`the intent is still ${JSON.stringify(intent)}`)
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }

  /** Reads the stream until it ends, until `enough`, or until the connection is lost. */
  async stream(id: string, options: StreamOptions = {}): Promise<readonly Streamed[]> {
    const response = await fetch(`${this.#url}/v1/payment-intents/${id}/stream`, {
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(options.lastEventId !== undefined && { 'last-event-id': options.lastEventId }),
      },
      signal: AbortSignal.timeout(30_000),
    })
    const seen: Streamed[] = []
    if (response.status === 204 || response.body === null) return seen
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    const parser = createParser({
      onEvent: ({ id: eventId, event = 'message', data }) => {
        if (event === 'heartbeat') return
        seen.push({ eventId: eventId ?? '', event, data: JSON.parse(data) })
        options.onEvent?.(seen)
      },
    })
    const decoder = new TextDecoder()
    const reader = response.body.getReader()
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return seen
        parser.feed(decoder.decode(value, { stream: true }))
        if (options.enough?.(seen)) return seen
      }
    } catch {
      // The server was killed: return what was read so far.
      return seen
    } finally {
      reader.cancel().catch(() => undefined)
    }
  }

  /** Resolves once the stream has sent the latest event; `all` resolves when it has ended. */
  async follow(
    id: string,
    options: StreamOptions = {},
  ): Promise<{ all: Promise<readonly Streamed[]> }> {
    let all: Promise<readonly Streamed[]> = Promise.resolve([])
    await new Promise<void>((resolve, reject) => {
      all = this.stream(id, { ...options, onEvent: () => resolve() })
      all.catch(reject)
    })
    return { all }
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return JSON.parse(text)
  }
}

interface Chain {
  readonly name: string
  readonly visibility: string
  readonly reason: string | null
}

export interface Streamed {
  readonly eventId: string
  readonly event: string
  readonly data: EventData
}

export interface StreamOptions {
  readonly lastEventId?: string
  readonly enough?: (seen: readonly Streamed[]) => boolean
  readonly onEvent?: (seen: readonly Streamed[]) => void
}
