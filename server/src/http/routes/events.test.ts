import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, HttpWorld } from '../../../../test/support/http-world.ts'

let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.start()
})
afterAll(() => world.close())

const path = '/v1/payment-intents'
const types = (answer: Answered): string[] =>
  answer.json.data.map((event: { type: string }) => event.type.replace('payment_intent.', ''))
const sequences = (answer: Answered): number[] =>
  answer.json.data.map((event: { data: { sequence: number } }) => event.data.sequence)

/** Resolves when this many long-polls wait at the server. */
async function waiting(count: number): Promise<void> {
  const line = `settlewire_streams_open{transport="long_poll"} ${count}\n`
  for (let i = 0; i < 500; i++) {
    if ((await world.metrics.text()).includes(line)) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`never ${count} waiting`)
}

describe("a payment's events", () => {
  it('are listed in order, page by page, with exactly the stored bytes', async () => {
    const payment = await world.create()
    await world.pay(payment)
    await world.engine.mine([], { blocks: 1 })
    await world.engine.mine([], { blocks: 1 })
    const all = await world.ask(`${path}/${payment.id}/events`)
    expect(types(all)).toEqual(['created', 'confirming', 'confirming', 'succeeded'])
    expect(sequences(all)).toEqual([1, 2, 3, 4])
    expect(all.json.hasMore).toBe(false)
    for (const { dataJson } of await world.engine.store.read(payment.id, 0, 10)) {
      expect(all.text).toContain(`"data":${dataJson}}`)
    }
    const page = await world.ask(`${path}/${payment.id}/events?after=1&limit=2`)
    expect([sequences(page), page.json.hasMore]).toEqual([[2, 3], true])
    const past = await world.ask(`${path}/${payment.id}/events?after=99`)
    expect([sequences(past), past.json.hasMore]).toEqual([[], false])
  })

  it.each(['after=-1', 'after=x', 'wait=26', 'wait=-1', 'after=99999999999', 'limit=101'])(
    'are refused with 400 for ?%s',
    async (query) => {
      const { id } = await world.create()
      const answer = await world.ask(`${path}/${id}/events?${query}`)
      expect([answer.status, answer.json.code]).toEqual([400, 'invalid_request'])
    },
  )
})

describe('a long-poll', () => {
  it('answers at once when there are events', async () => {
    const { id } = await world.create()
    expect(types(await world.ask(`${path}/${id}/events?wait=25`))).toEqual(['created'])
  })

  it('answers with new events as soon as they are committed', async () => {
    const { id } = await world.create()
    const polls = [1, 2, 3].map(() => world.ask(`${path}/${id}/events?after=1&wait=25`))
    await waiting(3)
    await world.ask(`${path}/${id}/cancel`, { body: {} })
    for (const answer of await Promise.all(polls)) expect(types(answer)).toEqual(['cancelled'])
    await waiting(0)
  })

  it('answers with an empty list when the wait is over', async () => {
    const { id } = await world.create()
    const poll = world.ask(`${path}/${id}/events?after=1&wait=5`)
    await waiting(1)
    await world.engine.clock.advance(4_999)
    await waiting(1)
    await world.engine.clock.advance(1)
    expect((await poll).json).toEqual({ object: 'list', data: [], hasMore: false })
  })

  it('ends when its client disconnects', async () => {
    const { id } = await world.create()
    const gone = new AbortController()
    const poll = world.ask(`${path}/${id}/events?after=1&wait=25`, { signal: gone.signal })
    await waiting(1)
    gone.abort()
    await expect(poll).rejects.toThrow()
    await waiting(0)
    expect(world.engine.clock.waiting).toBeLessThan(10)
  })

  it('finds events whose hint was lost, at the latest when the wait is over', async () => {
    const deaf = await HttpWorld.start()
    deaf.backplane.announce = () => undefined
    const { id } = await deaf.create()
    const poll = deaf.ask(`${path}/${id}/events?after=1&wait=25`)
    await new Promise((resolve) => setTimeout(resolve, 300))
    await deaf.ask(`${path}/${id}/cancel`, { body: {} })
    await deaf.engine.clock.advance(25_000)
    expect(types(await poll)).toEqual(['cancelled'])
    await deaf.close()
  })
})

describe("a merchant's feed", () => {
  it('has every event of every payment of the mode, in gapless positions', async () => {
    const own = await HttpWorld.start()
    const made = await Promise.all([own.create(), own.create(), own.create()])
    await Promise.all(made.map(({ id }) => own.ask(`${path}/${id}/cancel`, { body: {} })))
    await own.ask(path, { key: await own.strangersKey(), body: { amount: '1', currency: 'USDC' } })
    const positions: number[] = []
    let events = 0
    for (let after = 0; ; ) {
      const { json } = await own.ask(`/v1/events?after=${after}&limit=4`)
      for (const event of json.data) {
        positions.push(event.position)
        after = event.position
        events++
      }
      if (!json.hasMore) break
    }
    expect(positions).toEqual([1, 2, 3, 4, 5, 6])
    expect(events).toBe(6)
    await own.close()
  })
})
