import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StreamClient } from '../../../../test/support/stream-client.ts'
import { pay, StreamServer } from '../../../../test/support/stream-server.ts'

let server: StreamServer

beforeEach(async () => {
  server = await new StreamServer().listen()
})

afterEach(() => server.close())

const seen = (count: number) => (client: StreamClient) => client.told.length >= count
const said = ({ events }: StreamClient): unknown[] =>
  events
    .filter(({ event }) => event === 'heartbeat')
    .map(({ data }) => (JSON.parse(data) as { visibility: unknown }).visibility)

describe("a change of a chain's visibility", () => {
  it('is pushed at once, as a heartbeat like any other', async () => {
    server.commit({}, {})
    const client = await server.ask().until(seen(1))
    server.see('blind')
    await client.until((one) => said(one).length === 1)
    const beat = client.events.find(({ event }) => event === 'heartbeat')
    expect(beat?.id).toBeUndefined()
    expect(JSON.parse(beat?.data ?? '')).toEqual({
      ...{ sequence: 2, visibility: 'blind', at: '2026-01-01T00:00:00.000Z' },
      chains: [{ chain: 'local', visibility: 'blind', head: 7, lagMs: 1_500 }],
    })
  })

  it('is sent only to streams of payments that accept the chain', async () => {
    server.commit({})
    const client = await server.ask().until(seen(1))
    server.see('blind', 'another')
    await server.clock.advance(1_000)
    server.commit({})
    await client.until(seen(2))
    expect(said(client)).toEqual([])
  })

  it('is sent once a second at most while the chain flaps, and always at the end', async () => {
    server.commit({})
    const client = await server.ask().until(seen(1))
    for (let flap = 0; flap < 50; flap++) {
      server.see(flap % 2 === 0 ? 'blind' : 'degraded')
      await server.clock.advance(20)
    }
    server.see('ok')
    await server.clock.advance(1_000)
    await client.until((one) => said(one).at(-1) === 'ok')
    expect(said(client).length).toBeLessThanOrEqual(3)
  })

  it('is written to many streams in slices, not in one turn, and to all within 1 s', async () => {
    const clients = Array.from({ length: 120 }, () => server.ask())
    server.commit({})
    await Promise.all(clients.map((client) => client.until(seen(1))))
    const before = server.history.headsAsked.length
    server.see('blind')
    await server.clock.advance(0)
    const first = server.history.headsAsked.length - before
    await server.clock.advance(1_000)
    await Promise.all(clients.map((client) => client.until((one) => said(one).length >= 1)))
    expect(first).toBe(1)
    expect(server.history.headsAsked.length - before).toBeGreaterThan(10)
    expect(new Set(clients.flatMap(said))).toEqual(new Set(['blind']))
  })

  it('leaves no timer and no listener behind when streams close', async () => {
    server.history.append(pay)
    const client = await server.ask().until(seen(1))
    expect(server.listening).toBe(1)
    server.see('blind')
    await client.until((one) => said(one).length === 1)
    client.close()
    await server.sse.close()
    expect(server.listening).toBe(0)
    server.see('ok')
    await server.clock.advance(2_000)
    expect(said(client)).toEqual(['blind'])
  })
})
