import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type EventSketch, eventId } from '../../../../test/support/history.ts'
import type { StreamClient } from '../../../../test/support/stream-client.ts'
import { heartbeatMs, pay, StreamServer } from '../../../../test/support/stream-server.ts'

let server: StreamServer

const open = async (options?: ConstructorParameters<typeof StreamServer>[0]): Promise<void> => {
  server = await new StreamServer(options).listen()
}
beforeEach(() => open())
afterEach(() => server.close())

const seen = (count: number) => (client: StreamClient) => client.told.length >= count
const closed = (client: StreamClient) => client.isClosed
const heartbeats = ({ events }: StreamClient) => events.filter(({ event }) => event === 'heartbeat')
const counted = (what: string) => vi.waitFor(() => expect(server.counted).toContain(what))

/** A turn of the wheel at its slowest: by then every stream was visited. */
const turn = (): Promise<void> => server.clock.advance(heartbeatMs * 1.1)

describe('a slow reader', () => {
  const large: EventSketch = { note: 'x'.repeat(100_000) }
  const total = 151

  it('is cut before it fills the memory, and gets all events when it reconnects', async () => {
    await server.close()
    const bufferedBytesMax = 300_000
    await open({ bufferedBytesMax })
    const sockets: Socket[] = []
    server.http.on('connection', (socket: Socket) => sockets.push(socket))
    let most = 0
    server.commit(large)
    let client = await server.ask().until(seen(1))
    client.socket.pause()
    while (server.history.head(pay) < total) {
      server.commit(large, large)
      await server.clock.advance(0)
      most = Math.max(most, ...sockets.map(({ writableLength }) => writableLength))
    }
    await counted('closed slow')
    expect(most).toBeGreaterThan(100_000)
    expect(most).toBeLessThanOrEqual(bufferedBytesMax)
    expect(server.hub.size).toBe(0)

    const sequences: number[] = []
    for (client.socket.resume(); ; client = server.resume(client.lastEventId ?? '')) {
      await client.until((one) => one.isClosed || sequences.length + one.told.length >= total)
      sequences.push(...client.sequences)
      if (sequences.length >= total) break
    }
    expect(sequences).toEqual(Array.from({ length: total }, (_, index) => index + 1))
  })

  it('does not delay other streams', async () => {
    server.commit(large)
    const [slow, quick] = [server.ask(), server.ask()]
    await Promise.all([slow.until(seen(1)), quick.until(seen(1))])
    slow.socket.pause()
    for (let head = 2; head <= total; head++) {
      server.commit(large)
      await quick.until(seen(head))
    }
    await counted('closed slow')
    expect(quick.isClosed).toBe(false)
  })
})

describe('a client that disconnects', () => {
  it.each([
    ['a close', (socket: Socket) => socket.destroy()],
    ['a reset', (socket: Socket) => socket.resetAndDestroy()],
    ['a half-close', (socket: Socket) => socket.end()],
  ])('by %s is noticed without a write, and leaves nothing behind', async (_, go) => {
    server.commit({})
    const client = await server.ask().until(seen(1))
    expect(server.hub.size).toBe(1)
    go(client.socket)
    await counted('closed left')
    expect(server.hub.size).toBe(0)
    expect(server.clock.waiting).toBe(0)
    await vi.waitFor(async () => expect(await connections()).toBe(0))
  })

  it('while the server reads the history leaves nothing behind', async () => {
    server.commit({}, {})
    server.history.hold()
    const client = server.resume(eventId(pay, 1))
    await vi.waitFor(() => expect(server.history.held).toBe(1))
    server.history.release()
    await vi.waitFor(() => expect(server.history.held).toBe(1))
    client.close()
    await vi.waitFor(async () => expect(await connections()).toBe(0))
    server.history.releaseAll()
    await server.clock.advance(0)
    expect(server.counted).toEqual([])
    expect(server.hub.size).toBe(0)
  })

  const connections = (): Promise<number> =>
    new Promise((resolve, reject) => {
      server.http.getConnections((error, count) => (error ? reject(error) : resolve(count)))
    })
})

describe('a client that sends bytes after its request', () => {
  it('is ignored, even if the bytes look like requests', async () => {
    server.commit({})
    const client = await server.ask().until(seen(1))
    client.socket.write('GET /pi_other HTTP/1.1\r\nHost: x\r\n\r\n\0\xff garbage')
    await new Promise((resolve) => setTimeout(resolve, 50))
    server.commit({})
    await client.until(seen(2))
    expect(client.text.match(/HTTP\/1\.1/g)).toHaveLength(1)
  })

  it('is cut when it sends too many', async () => {
    server.commit({})
    const client = await server.ask().until(seen(1))
    client.socket.write('x'.repeat(100_000))
    await client.until(closed)
    await counted('closed noisy')
    expect(server.hub.size).toBe(0)
  })

  it('is cut when another request follows at once', async () => {
    server.commit({})
    const other = await server.ask().until(seen(1))
    const client = server.ask({ headers: { 'X-Two': '1\r\n\r\nGET / HTTP/1.1\r\nHost: x' } })
    await client.until(closed)
    expect(client.text).toBe('')
    server.commit({})
    await other.until(seen(2))
    expect(server.counted.filter((what) => what === 'opened')).toHaveLength(1)
  })

  it('is cut when it pipelined the stream behind another request', async () => {
    server.commit({})
    server.history.hold()
    const second = '1\r\n\r\nGET / HTTP/1.1\r\nHost: x'
    const client = server.ask({ path: '/pi_none', headers: { 'X-Two': second } })
    await vi.waitFor(() => expect(server.history.held).toBe(2))
    server.history.release(1)
    await client.until(closed)
    expect(client.text).toBe('')
  })

  it('may open a stream on a connection that it used for other requests before', async () => {
    server.commit({})
    const client = await server.ask({ path: '/pi_none' }).until(({ status }) => status === 404)
    client.socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n')
    await client.until(({ text }) => text.includes('event: payment_intent.confirming'))
  })
})

describe('the connection of a stream', () => {
  it('keeps nothing that Node HTTP had attached to the socket', async () => {
    const sockets: Socket[] = []
    const probes: unknown[] = []
    server.http.on('connection', (socket: Socket) => {
      sockets.push(socket)
      vi.spyOn(socket, 'setKeepAlive').mockImplementation((...given) => {
        probes.push(given)
        return socket
      })
    })
    server.commit({})
    await server.ask().until(seen(1))
    // Internal names of Node: if they change, check again what stays attached.
    const [socket] = sockets as (Socket & { parser?: unknown; _httpMessage?: unknown })[]
    expect([socket?.parser, socket?._httpMessage]).toEqual([null, null])
    const listeners = socket?.eventNames().map((name) => [name, socket.listenerCount(name)])
    expect(listeners).toEqual(['error', 'data', 'end', 'close'].map((name) => [name, 1]))
    expect(socket?.timeout).toBe(0)
    // TCP keep-alive, for a peer that vanished without closing.
    expect(probes).toEqual([[true, 30_000]])
  })

  it('is not closed by the timeouts for requests', async () => {
    server.http.keepAliveTimeout = 20
    server.http.setTimeout(20)
    server.http.headersTimeout = 20
    server.http.requestTimeout = 30
    server.commit({})
    const client = await server.ask().until(seen(1))
    await new Promise((resolve) => setTimeout(resolve, 200))
    server.http.closeIdleConnections()
    server.commit({})
    await client.until(seen(2))
  })
})

describe('heartbeats', () => {
  it('are a comment and an event without an id, with the head of the history', async () => {
    server.commit({}, {})
    const client = await server.ask().until(seen(1))
    server.visibility = 'degraded'
    await turn()
    await client.until((one) => heartbeats(one).length === 1)
    const [beat] = heartbeats(client)
    expect(beat?.id).toBeUndefined()
    expect(JSON.parse(beat?.data ?? '')).toEqual({
      ...{ sequence: 2, visibility: 'degraded' },
      at: expect.stringMatching(/^2026-01-01T00:00:\d\d\.\d{3}Z$/),
      chains: [{ chain: 'local', visibility: 'degraded', head: 7, lagMs: 1_500 }],
    })
    expect(client.body).toContain('\n\n:heartbeat\nevent: heartbeat\ndata: {"sequence":2,"at":"')
    expect(client.lastEventId).toBe(eventId(pay, 2))
  })

  it('come once per turn of the wheel, at varying intervals', async () => {
    server.commit({})
    const client = await server.ask().until(seen(1))
    for (let beats = 1; beats <= 4; beats++) {
      await turn()
      await client.until((one) => heartbeats(one).length >= beats)
    }
    const at = heartbeats(client).map(({ data }) =>
      Date.parse((JSON.parse(data) as { at: string }).at),
    )
    const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0))
    for (const gap of gaps) {
      expect(gap).toBeGreaterThan(heartbeatMs * 0.9)
      expect(gap).toBeLessThan(heartbeatMs * 1.1)
    }
    expect(new Set(gaps).size).toBeGreaterThan(1)
  })

  it('cost one timer for all streams and one query per tick for all payments', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `pi_${index}`)
    for (const id of ids) server.history.append(id)
    const clients = [...ids, ...ids].map((id) => server.ask({ path: `/${id}` }))
    await Promise.all(clients.map((client) => client.until(seen(1))))
    // One timer of the wheel; one with which the hub drops old events.
    expect(server.clock.waiting).toBe(2)
    await turn()
    await Promise.all(clients.map((client) => client.until((one) => heartbeats(one).length >= 1)))
    const { headsAsked } = server.history
    expect(headsAsked.length).toBeLessThanOrEqual(35)
    expect(headsAsked.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(35 * 3)
    // All accept the same chains: visibility is computed once a tick for all payments.
    expect(server.looks).toBeLessThanOrEqual(headsAsked.length)
    for (const client of clients) client.close()
    await vi.waitFor(() => expect(server.clock.waiting).toBe(0))
  })

  it('first push events whose announcement was lost, then the head', async () => {
    server.commit({})
    const client = await server.ask().until(seen(1))
    server.history.append(pay)
    server.history.append(pay)
    await turn()
    await client.until((one) => heartbeats(one).length === 1)
    expect(client.events.map(({ id }) => id)).toEqual([
      ...[1, 2, 3].map((sequence) => eventId(pay, sequence)),
      undefined,
    ])
  })

  it('are not written to a stream that ended when its missed events were pushed', async () => {
    server.commit({})
    const errors: unknown[] = []
    const sockets: Socket[] = []
    server.http.on('connection', (socket: Socket) => sockets.push(socket))
    const client = await server.ask().until(seen(1))
    for (const socket of sockets) socket.on('error', (error) => errors.push(error))
    server.history.append(pay, { type: 'succeeded', status: 'succeeded' })
    await turn()
    await client.until(closed)
    expect(client.events.map(({ event }) => event)).toEqual([
      'payment_intent.confirming',
      'payment_intent.succeeded',
    ])
    expect(errors).toEqual([])
  })

  it('send the head even if missed events cannot be read: the client sees the gap', async () => {
    server.commit({})
    const client = await server.ask().until(seen(1))
    server.history.append(pay)
    server.history.read = () => new Promise(() => undefined)
    await turn()
    await server.clock.advance(3_000)
    await client.until((one) => heartbeats(one).length === 1)
    expect(JSON.parse(heartbeats(client)[0]?.data ?? '')).toMatchObject({ sequence: 2 })
    expect(client.sequences).toEqual([1])
  })

  it('are only comments while the history cannot be read', async () => {
    server.commit({})
    const client = await server.ask().until(seen(1))
    server.history.down = true
    await turn()
    await client.until(({ comments }) => comments.length > 0)
    expect(heartbeats(client)).toEqual([])
    server.history.down = false
    await turn()
    await client.until((one) => heartbeats(one).length > 0)
  })
})

describe('closing all streams', () => {
  it('sends every client a retry, and lets the server close', async () => {
    server.commit({})
    const clients = [server.ask(), server.ask()]
    await Promise.all(clients.map((client) => client.until(seen(1))))
    await server.sse.close()
    await new Promise((resolve) => server.http.close(resolve))
    for (const [index, client] of clients.entries()) {
      await client.until(closed)
      expect(client.body.endsWith(`\n\nretry: ${500 + index}\n\n`)).toBe(true)
    }
    expect(server.counted.filter((what) => what === 'closed closing')).toHaveLength(2)
    expect(server.hub.size).toBe(0)
  })

  it('does not wait forever for a client that reads nothing', async () => {
    server.commit({ note: 'x'.repeat(8_000_000) })
    await server.close()
    await open({ bufferedBytesMax: 100_000_000 })
    server.commit({ note: 'x'.repeat(40_000_000) })
    const client = server.ask()
    client.socket.pause()
    await counted('pushed 1')
    const closing = server.sse.close()
    await server.clock.advance(6_000)
    await closing
  })

  it('ends new streams at once with a retry', async () => {
    server.commit({})
    await server.sse.close()
    const client = await server.ask().until(closed)
    expect([client.status, client.told, client.retries]).toEqual([200, [], [2_000, 2_000]])
  })
})

describe('the metrics of streams', () => {
  it('count the pushes of one event in one call', async () => {
    server.commit({})
    const clients = [server.ask(), server.ask(), server.ask()]
    await Promise.all(clients.map((client) => client.until(seen(1))))
    server.counted.length = 0
    server.commit({})
    await Promise.all(clients.map((client) => client.until(seen(2))))
    expect(server.counted).toEqual(['pushed 3'])
  })

  it('measure the time from the request to the first event', async () => {
    server.commit({})
    server.history.hold()
    const client = server.ask()
    await vi.waitFor(() => expect(server.history.held).toBe(1))
    await server.clock.advance(30)
    server.history.releaseAll()
    await client.until(seen(1))
    expect(server.counted).toEqual(['opened', 'first after 30', 'pushed 1'])
  })
})
