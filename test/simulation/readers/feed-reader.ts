import type { EventData } from '@settlewire/core/payment/event'
import { statusWords } from '@settlewire/core/words/words'
import type { Device } from './device.ts'
import type { Network } from './network.ts'
import { mustSay, type Statement, unitsOf } from './said.ts'
import { noCount, type Tally } from './tally.ts'
import type { Truth } from './truth.ts'

interface Entry {
  readonly position: number
  readonly data: EventData
}

const pageMax = 20
const everyMs = 4_000

export interface FeedParts {
  readonly device: Device
  readonly network: Network
  readonly truth: Truth
  readonly tally: Tally
  readonly note: (what: string) => void
}

/** What a merchant's server has rebuilt from the feed, and may have saved. */
interface Books {
  readonly position: number
  readonly payments: ReadonlyMap<string, EventData>
}

/**
 * A merchant's server that reads the feed by position and rebuilds the state of each payment. Now
 * and then it crashes and continues from its last saved state. After an answer without more events,
 * its state must be at least as new as the time of its request.
 */
export class FeedReader {
  readonly #parts: FeedParts
  readonly #fetch: typeof fetch
  #books: Books = { position: 0, payments: new Map() }
  #saved: Books = this.#books

  constructor(parts: FeedParts) {
    this.#parts = parts
    this.#fetch = parts.network.fetchOf(parts.device, () => undefined)
  }

  open(): void {
    const { device } = this.#parts
    const { timeline, chance } = device
    const askedAt = timeline.elapsed
    const isOver = new AbortController()
    const stop = device.clock.after(10_000, () => isOver.abort(new Error('late')))
    const again = (waitMs: number): void => {
      stop()
      if (chance.is(0.05)) this.#books = this.#saved
      else if (chance.is(0.3)) this.#saved = this.#books
      device.clock.after(waitMs, () => this.open())
    }
    this.#ask(isOver.signal).then(
      (hasMore) => {
        if (!hasMore) this.#compare(askedAt)
        again(hasMore ? 0 : everyMs)
      },
      () => again(everyMs),
    )
  }

  async #ask(signal: AbortSignal): Promise<boolean> {
    const path = `/v1/events?after=${this.#books.position}&limit=${pageMax}`
    const response = await this.#fetch(path, { signal })
    const text = await response.text()
    if (!response.ok) throw new TypeError('no feed')
    // The body as the server made it.
    const { data, hasMore } = JSON.parse(text) as { data: readonly Entry[]; hasMore: boolean }
    for (const entry of data) this.#take(entry)
    return hasMore
  }

  #take({ position, data }: Entry): void {
    const { note } = this.#parts
    const { position: held, payments } = this.#books
    if (position !== held + 1) note(`the feed continued with position ${position} after ${held}`)
    const before = payments.get(data.id)?.sequence ?? 0
    if (data.sequence !== before + 1) {
      note(`the feed has sequence ${data.sequence} of ${data.id} after ${before}`)
    }
    this.#books = { position, payments: new Map([...payments, [data.id, data]]) }
  }

  /** Checks the rebuilt state against the truth at the time of the request. */
  #compare(askedAt: number): void {
    const { truth, note } = this.#parts
    for (const id of truth.ids) {
      const stands = truth.standsOf(id)
      const asOf = stands.findLast(({ at }) => at < askedAt)
      if (asOf === undefined) continue
      const shown = this.#books.payments.get(id)
      const stand = stands.find(({ sequence }) => sequence === shown?.sequence)
      const isMissing = shown === undefined || stand === undefined
      if (isMissing || stand.sequence < asOf.sequence) {
        note(`the feed of a merchant lacks ${id} at ${asOf.sequence}: it has ${shown?.sequence}`)
        continue
      }
      const said: Partial<Record<Statement, string>> = {
        status: statusWords[shown.status].label,
        received: unitsOf(shown.receivedAmount, stand.payment),
      }
      for (const [kind, value] of Object.entries(said)) {
        // The keys are those above.
        const must = mustSay[kind as Statement](stand.payment)
        this.#count(kind, value === must)
        if (value !== must) note(`the feed says ${kind} ${value} of ${id}, it must be ${must}`)
      }
    }
  }

  #count(kind: string, isTrue: boolean): void {
    const name = `feed: ${kind}`
    const count = this.#parts.tally[name] ?? noCount()
    this.#parts.tally[name] = count
    count.shownMs += everyMs
    if (!isTrue) count.untrueMs += everyMs
  }
}
