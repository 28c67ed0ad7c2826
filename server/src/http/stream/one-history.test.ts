import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { merchant } from '../../../../test/support/engine-world.ts'
import { HttpWorld } from '../../../../test/support/http-world.ts'
import { StreamClient } from '../../../../test/support/stream-client.ts'

/**
 * The same history over a stream, a long-poll, a list and the feed: a reader that changes between
 * them at any point has every event once, in order, with the same bytes of `data`.
 */
let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.start()
})
afterAll(() => world.close())

/** How a reader reads next, and how many events it takes at most. */
const reading = fc.record({
  by: fc.constantFrom('stream', 'cut stream', 'long-poll', 'list', 'feed', 'feed stream'),
  count: fc.integer({ min: 1, max: 3 }),
})
type Reading = typeof reading extends fc.Arbitrary<infer R> ? R : never

/** What happens to the payment between two reads. */
const deed = fc.constantFrom('pay a part', 'pay again', 'mine', 'nothing', 'nothing', 'cancel')

interface Read {
  readonly id: string
  /** Exactly as it was received. */
  readonly data: string
}

/** The raw bytes of each `data` in a list, which may not be parsed and printed again. */
function rawIn(text: string): readonly Read[] {
  return [...text.matchAll(/\{(?:"position":\d+,)?"id":"(evt_\w+)"/g)].map((found, index, all) => {
    const end = all[index + 1]?.index ?? text.lastIndexOf('],"hasMore"') + 1
    const item = text.slice(found.index, end - 1)
    const from = item.indexOf('"data":') + '"data":'.length
    return { id: found[1] ?? '', data: item.slice(from, item.lastIndexOf('}')) }
  })
}

/** A reader of one payment with its position in the payment's history and in the feed. */
class Reader {
  readonly read: Read[] = []
  readonly #paymentId: string
  #position: number

  constructor(paymentId: string, position: number) {
    this.#paymentId = paymentId
    this.#position = position
  }

  get sequence(): number {
    return this.read.length
  }

  async take({ by, count }: Reading): Promise<void> {
    const path = `/v1/payment-intents/${this.#paymentId}`
    if (by === 'list') {
      const { text } = await world.ask(`${path}/events?after=${this.sequence}&limit=${count}`)
      this.read.push(...rawIn(text))
    } else if (by === 'long-poll') {
      const { text } = await world.ask(
        `${path}/events?after=${this.sequence}&limit=${count}&wait=0`,
      )
      this.read.push(...rawIn(text))
    } else if (by === 'feed') {
      const { text } = await world.ask(`/v1/events?after=${this.#position}&limit=100`)
      this.#ofFeed(rawIn(text))
    } else if (by === 'feed stream') {
      const client = this.#open(`/v1/events/stream?after=${this.#position}`)
      const head = await feedHead()
      await client.until(({ told }) => told.length > head - this.#position) // and `hello`
      this.#ofFeed(client.told.flatMap(({ id, data }) => (id === undefined ? [] : { id, data })))
      client.close()
    } else
      await this.#takeStream(`${path}/stream`, by === 'stream' ? Number.POSITIVE_INFINITY : count)
  }

  /** Resumes after the last event, or from the beginning of the history by the list's first id. */
  async #takeStream(path: string, count: number): Promise<void> {
    const last = this.read.at(-1)
    // Without an id a stream begins with the newest event: that would leave a gap.
    if (last === undefined) return
    const head = await headOf(this.#paymentId)
    const wanted = Math.min(count, head - this.sequence)
    const client = this.#open(`${path}?until=final`, last.id)
    // It ends by itself at an event that closes the payment; what follows comes with the next read.
    await client.until(({ told, isClosed }) => told.length >= wanted || isClosed)
    for (const { id = '', data } of client.told.slice(0, wanted)) this.read.push({ id, data })
    client.close()
  }

  #open(path: string, lastEventId?: string): StreamClient {
    const headers = {
      authorization: `Bearer ${world.secretKey}`,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    }
    return new StreamClient({ port: Number(new URL(world.url).port), path, headers })
  }

  /** Takes what is new of the payment; the feed's position moves over everything. */
  #ofFeed(items: readonly Read[]): void {
    this.#position += items.length
    const known = new Set(this.read.map(({ id }) => id))
    const own = items.filter(({ data }) => data.includes(`"id":"${this.#paymentId}"`))
    this.read.push(...own.filter(({ id }) => !known.has(id)))
  }
}

async function headOf(paymentId: string): Promise<number> {
  return (await world.engine.store.heads([paymentId])).get(paymentId) ?? 0
}

async function feedHead(): Promise<number> {
  const { merchantId } = merchant
  const [head] = await world.engine.store.feedHeads([{ merchantId, livemode: false }])
  return head?.position ?? 0
}

async function act(what: string, payment: Awaited<ReturnType<HttpWorld['create']>>): Promise<void> {
  if (what === 'pay a part') await world.pay(payment, 50_000_000n)
  if (what === 'pay again') await world.pay(payment)
  if (what === 'mine') await world.engine.mine()
  if (what === 'cancel') await world.ask(`/v1/payment-intents/${payment.id}/cancel`, { body: {} })
}

describe('one history over every transport', () => {
  it('is read once, in order and byte for byte, however a reader changes between them', async () => {
    const steps = fc.array(fc.tuple(deed, reading), { minLength: 4, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const position = await feedHead()
        const payment = await world.create()
        const reader = new Reader(payment.id, position)
        for (const [what, next] of taken) {
          await act(what, payment)
          await reader.take(next)
        }
        await reader.take({ by: 'list', count: 100 })
        const stored = await world.engine.store.read(payment.id, 0, 1_000)
        expect(reader.read).toEqual(stored.map(({ id, dataJson }) => ({ id, data: dataJson })))
      }),
      { numRuns: 20 },
    )
  })
})
