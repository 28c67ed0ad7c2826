import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HttpWorld } from '../../../../test/support/http-world.ts'

let world: HttpWorld
const path = '/v1/events/stream'
beforeEach(async () => {
  world = await HttpWorld.start()
})
afterEach(() => world.close())

interface Told {
  readonly event: string
  readonly id: string | null
  readonly data: string
}

/** A client of the feed: everything that it has received. */
class FeedClient {
  text = ''
  status = 0
  readonly #over = new AbortController()

  static async open(
    query = '',
    {
      key = world.secretKey,
      headers = {},
    }: { key?: string; headers?: Record<string, string> } = {},
  ): Promise<FeedClient> {
    const client = new FeedClient()
    const answer = await fetch(world.url + path + query, {
      headers: { authorization: `Bearer ${key}`, ...headers },
      signal: client.#over.signal,
    })
    client.status = answer.status
    void client.#read(answer)
    return client
  }

  async #read(answer: Response): Promise<void> {
    try {
      for await (const bytes of answer.body ?? []) this.text += Buffer.from(bytes).toString()
    } catch {
      // It was closed.
    }
  }

  get told(): readonly Told[] {
    return this.text.split('\n\n').flatMap((frame) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1] ?? null
      const data = field('data')
      return data === null ? [] : [{ event: field('event') ?? '', id: field('id'), data }]
    })
  }

  get ids(): readonly (string | null)[] {
    return this.told.flatMap(({ id }) => id ?? [])
  }

  async until(check: (client: FeedClient) => boolean): Promise<this> {
    await vi.waitFor(() => expect(check(this), this.text).toBe(true), { timeout: 5_000 })
    return this
  }

  close(): void {
    this.#over.abort()
  }
}

const has = (count: number) => (client: FeedClient) => client.ids.length >= count
const feed = async () => (await world.ask('/v1/events?limit=100')).json.data
const positionIn = ({ told }: FeedClient, event: string): number | null => {
  const found = told.findLast((one) => one.event === event)
  return found === undefined ? null : JSON.parse(found.data).position
}

describe('the stream of a merchant’s feed', () => {
  it('sends the events of all its payments as they are committed, byte for byte as lists do', async () => {
    const client = await FeedClient.open()
    await client.until(({ told }) => told.some(({ event }) => event === 'hello'))
    expect(positionIn(client, 'hello')).toBe(0)
    const [one, two] = [await world.create(), await world.create()]
    await world.pay(two)
    await world.ask(`/v1/payment-intents/${one.id}/cancel`, { body: {} })
    const events = await feed()
    await client.until(has(events.length))
    expect(client.ids).toEqual(events.map(({ id }: { id: string }) => id))
    expect(new Set(events.map(({ data }: { data: { id: string } }) => data.id)).size).toBe(2)
    const listed = (await world.ask('/v1/events?limit=100')).text
    for (const { data, id } of client.told) if (id !== null) expect(listed).toContain(data)
    client.close()
  })

  it('begins after a position or an event id, without a gap or a repetition', async () => {
    const { id } = await world.create()
    await world.pay(await world.create())
    await world.ask(`/v1/payment-intents/${id}/cancel`, { body: {} })
    const ids = (await feed()).map((event: { id: string }) => event.id)
    expect(ids.length).toBeGreaterThan(3)
    for (const from of [0, 1, ids.length - 1]) {
      const client = await (await FeedClient.open(`?after=${from}`)).until(has(ids.length - from))
      expect(client.ids).toEqual(ids.slice(from))
      expect(positionIn(client, 'hello')).toBe(from)
      client.close()
    }
    const headers = { 'last-event-id': ids[1] }
    const resumed = await (await FeedClient.open('', { headers })).until(has(ids.length - 2))
    expect(resumed.ids).toEqual(ids.slice(2))
    // It is current, and learns so at once.
    await resumed.until((client) => positionIn(client, 'heartbeat') === ids.length)
    resumed.close()
  })

  it.each([
    ['an id that is unknown', { 'last-event-id': 'evt_00000000000000000000000000' }, ''],
    ['a text that is no id', { 'last-event-id': 'x' }, ''],
    ['a position that does not exist yet', {}, '?after=99'],
  ])('resets at %s, and goes on with new events', async (_, headers, query) => {
    await world.create()
    const client = await FeedClient.open(query, { headers })
    await client.until(({ told }) => told.some(({ event }) => event === 'hello'))
    expect(client.told[0]?.event).toBe('reset')
    expect(JSON.parse(client.told[0]?.data ?? '').reason).toMatch(/^unknown_(event_id|position)$/)
    expect(positionIn(client, 'hello')).toBe((await feed()).length)
    await world.create()
    await client.until(has(1))
    client.close()
  })

  it('shows nothing of another merchant or mode, and resets at their event ids', async () => {
    const key = await world.strangersKey()
    const { id } = await world.create()
    const [first] = (await world.ask(`/v1/payment-intents/${id}/events`)).json.data
    const client = await FeedClient.open('', { key, headers: { 'last-event-id': first.id } })
    await client.until(({ told }) => told.some(({ event }) => event === 'hello'))
    expect(client.told[0]?.event).toBe('reset')
    await world.create()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(client.ids).toEqual([])
    client.close()
  })

  it('needs a key with events:read, and ends when the key is revoked', async () => {
    const key = await world.addKey({ kind: 'restricted', scopes: ['payment_intents:read'] })
    expect((await world.ask(path, { key })).status).toBe(403)
    expect((await world.ask(path, { key: null })).status).toBe(401)
    expect((await world.ask(`${path}?after=-1`)).status).toBe(400)
  })

  it('heartbeats carry the last position, and heal a stream that missed an announcement', async () => {
    const client = await FeedClient.open('?after=0')
    await client.until(({ told }) => told.some(({ event }) => event === 'heartbeat'))
    const lost = vi.spyOn(world.backplane, 'announce').mockImplementation(() => undefined)
    await world.create()
    lost.mockRestore()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(client.ids).toEqual([])
    // In steps: a heartbeat waits only 3 s of this clock for the real database.
    for (let step = 0; step < 250 && positionIn(client, 'heartbeat') !== 1; step++) {
      await world.engine.clock.advance(250)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await client.until(has(1))
    expect(positionIn(client, 'heartbeat')).toBe(1)
    client.close()
  })
})
