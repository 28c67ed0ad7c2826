import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, HttpWorld } from '../../../../test/support/http-world.ts'

let world: HttpWorld
let payment: Answered['json']
let ids: readonly string[]
beforeAll(async () => {
  world = await HttpWorld.start()
  payment = await world.create()
  await world.pay(payment)
  const { json } = await world.ask(`/v1/payment-intents/${payment.id}/events`)
  ids = json.data.map(({ id }: { id: string }) => id)
})
afterAll(() => world.close())

/** Reads the beginning of a stream, up to and including the text `until`. */
function begin(query: string, { header = '', until = '\ndata:' } = {}): Promise<string> {
  const { hostname, port } = new URL(world.url)
  const lines = `host: x\r\nauthorization: Bearer ${world.secretKey}\r\n${header}`
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname, () => {
      socket.write(`GET /v1/payment-intents/${payment.id}/stream${query} HTTP/1.1\r\n${lines}\r\n`)
    })
    socket.on('data', (bytes) => {
      text += bytes.toString()
      if (text.includes(until)) socket.destroy()
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}

const eventsIn = (text: string): string[] =>
  [...text.matchAll(/^id: (\S+)$/gm)].map(([, id]) => id ?? '')

describe('?lastEventId=', () => {
  it('works like the header, which wins if both are sent', async () => {
    const [first = '', second = ''] = ids
    const last = { until: `id: ${ids.at(-1)}\n` }
    expect(ids.length).toBeGreaterThan(1)
    expect(eventsIn(await begin(`?lastEventId=${first}`, last))).toEqual(ids.slice(1))
    const header = `last-event-id: ${second}\r\n`
    const both = await begin(`?lastEventId=${first}`, { header, until: 'event: heartbeat' })
    expect(eventsIn(both)).toEqual(ids.slice(2))
  })

  it('with an unknown id is answered with a reset', async () => {
    expect(await begin('?lastEventId=evt_x')).toContain('event: reset')
  })
})

it.each(['?until=end', '?until=', '?lastEventID=evt_x'])(
  'a stream refuses an unknown query parameter or value: %s',
  async (query) => {
    const answer = await world.ask(`/v1/payment-intents/${payment.id}/stream${query}`)
    expect([answer.status, answer.json.code]).toEqual([400, 'invalid_request'])
  },
)

it('a long-poll with until=final answers at once after the final event', async () => {
  const { id } = await world.create()
  const cancelled = await world.ask(`/v1/payment-intents/${id}/cancel`, { body: {} })
  const url = `/v1/payment-intents/${id}/events?after=${cancelled.json.sequence}&wait=25`
  expect((await world.ask(`${url}&until=final`)).json.data).toEqual([])
  const held = new AbortController()
  const waiting = world.ask(url, { signal: held.signal }).catch(() => 'held back')
  const soon = new Promise((resolve) => setTimeout(() => resolve('held back'), 200))
  expect(await Promise.race([waiting, soon])).toBe('held back')
  held.abort()
})
