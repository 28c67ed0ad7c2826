import { afterEach, describe, expect, it, vi } from 'vitest'
import { codeOf, EdgeWorld, edgeLimits, get } from '../../../../test/support/edge-world.ts'
import { LoopTurns } from './turns.ts'

let world: EdgeWorld
const start = async (...how: Parameters<typeof EdgeWorld.start>): Promise<void> => {
  world = await EdgeWorld.start(...how)
}
afterEach(() => world.close())

const passed = (ms: number): Promise<void> => world.clock.advance(ms)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const patience = { timeout: 20_000, interval: 20 }

describe('a client that does not send', () => {
  it('is closed on both sides after its silence, even if it holds its own side open', async () => {
    await start()
    const silent = await Promise.all(
      Array.from({ length: 100 }, () => world.open({ holdsOn: true })),
    )
    await world.has(100)
    await passed(9_000)
    await world.has(100)
    await passed(2_000)
    await world.has(0)
    expect(silent.map(({ heard }) => heard).join('')).toBe('')
    expect(await world.cutFor('silent')).toBe(100)
  })

  it('gets 408 for an incomplete head, even if bytes keep arriving, and is closed', async () => {
    await start()
    const drip = await world.open({ bytes: 'GET / HTTP/1.1\r\n', holdsOn: true })
    let seconds = 0
    await vi.waitFor(async () => {
      seconds++
      await passed(1_000)
      drip.socket.write(`x-${seconds}: y\r\n`)
      expect(drip.statuses).toEqual([408])
    }, patience)
    expect(codeOf(drip)).toBe('request_timeout')
    expect(drip.heard).toContain('x-content-type-options: nosniff')
    expect(seconds).toBeGreaterThan(9)
    await passed(1_000)
    await world.has(0)
  })

  it('gets 408 when the body does not arrive', async () => {
    await start({}, { '/post': (request) => request.resume() })
    const head = get('/post', 'content-length: 100\r\n').replace('GET', 'POST')
    const slow = await world.open({ bytes: `${head}{"amount"`, holdsOn: true })
    await vi.waitFor(async () => {
      await passed(5_000)
      expect(slow.statuses).toEqual([408])
    }, patience)
    expect(codeOf(slow)).toBe('request_timeout')
    await passed(1_000)
    await world.has(0)
    expect(await world.cutFor('body_timeout')).toBe(1)
  })

  it('may keep an idle connection between requests, but not forever', async () => {
    await start()
    const client = await world.ask('/')
    await passed(60_000)
    client.socket.write(get('/'))
    await world.answered(client, 2)
    await passed(60_000)
    expect(client.isClosed).toBe(false)
    await passed(17_000)
    await client.closed
    expect(await world.cutFor('idle')).toBe(1)
  })
})

describe('a client that does not read', () => {
  const large = Buffer.alloc(24_000_000)

  it('gets no further answers, and is cut when it has read nothing for too long', async () => {
    let begun = 0
    await start(
      { unreadBytesMax: 1e9, heldBytesMax: 1e9 },
      {
        '/large': (_, response) => {
          begun++
          response.end(large)
        },
      },
    )
    await world.open({ bytes: get('/large').repeat(300), reads: false })
    await vi.waitFor(() => expect(begun).toBe(1), patience)
    await passed(19_000)
    expect(begun).toBe(1)
    await world.has(1)
    // 20 s, plus 1 s for each 16 KB that waits.
    await passed((24_000_000 / 16_384) * 1_000 + 5_000)
    await world.has(0)
    expect([begun, await world.cutFor('unread')]).toEqual([1, 1])
  })

  it('is cut at once when it leaves more unread than one connection may', async () => {
    await start({}, { '/large': (_, response) => response.end(large) })
    await world.open({ bytes: get('/large'), reads: false })
    await vi.waitFor(async () => {
      await passed(1_000)
      expect(await world.cutFor('unread_bytes')).toBe(1)
    }, patience)
    await world.has(0)
  })

  it('is cut first when all connections together leave too much unread', async () => {
    const some = Buffer.alloc(12_000_000)
    await start(
      { unreadBytesMax: 1e9, heldBytesMax: 30_000_000 },
      {
        '/large': (_, response) => response.end(large),
        '/some': (_, response) => response.end(some),
      },
    )
    const reader = await world.ask('/')
    await world.open({ bytes: get('/some'), reads: false })
    await world.open({ bytes: get('/large'), reads: false })
    await vi.waitFor(async () => {
      await passed(1_000)
      expect(await world.cutFor('held_bytes')).toBe(1)
    }, patience)
    await world.has(2)
    reader.socket.write(get('/'))
    await world.answered(reader, 2)
  })

  it('is cut on a stream too, also when the stream has few events', async () => {
    await start({ unreadBytesMax: 1e9, heldBytesMax: 1e9 })
    const sockets = vi.fn()
    world.edge.server.on('connection', sockets)
    const stream = await world.ask('/stream')
    stream.socket.pause()
    const [[socket] = []] = sockets.mock.calls
    socket.write(large.subarray(0, 8_000_000))
    await passed(19_000)
    await world.has(1)
    await passed(600_000)
    await world.has(0)
    expect(await world.cutFor('unread')).toBe(1)
  })
})

describe('a client that pipelines requests', () => {
  it('is answered in order, one request at a time, however many it sends', async () => {
    let [now, most, asked] = [0, 0, 0]
    await start(
      {},
      {
        '/n': (_, response) => {
          const n = asked++
          most = Math.max(most, ++now)
          setTimeout(() => {
            now--
            response.end(`(${n})`)
          }, 1)
        },
      },
    )
    const client = await world.open({ bytes: get('/n').repeat(300) })
    await world.answered(client, 300)
    const order = [...client.heard.matchAll(/\((\d+)\)/g)].map(([, n]) => Number(n))
    expect(order).toEqual(Array.from({ length: 300 }, (_, n) => n))
    expect(most).toBe(1)
  })

  it('may also pipeline bodies of any size', async () => {
    await start(
      {},
      {
        '/echo': (request, response) => {
          let bytes = 0
          request.on('data', (piece) => {
            bytes += piece.length
          })
          request.on('end', () => response.end(`(${bytes})`))
        },
      },
    )
    const sizes = [0, 10, 40_000, 1, 300_000, 7]
    const bytes = sizes.map((size) => {
      const head = get('/echo', `content-length: ${size}\r\n`).replace('GET', 'POST')
      return head + 'x'.repeat(size)
    })
    const client = await world.open({ bytes: bytes.join('').repeat(5) })
    await world.answered(client, sizes.length * 5)
    const read = [...client.heard.matchAll(/\((\d+)\)/g)].map(([, size]) => Number(size))
    expect(read).toEqual([1, 2, 3, 4, 5].flatMap(() => sizes))
  })

  it('is not read beyond a few requests, so that it does not delay /healthz', async () => {
    const requests = vi.fn()
    await start({}, { '/never': () => undefined })
    world.edge.server.on('request', requests)
    await world.open({ bytes: get('/never').repeat(2_000) })
    await vi.waitFor(() => expect(requests).toHaveBeenCalled(), patience)
    await pause(100)
    expect(requests.mock.calls.length).toBeLessThan(1 + edgeLimits.pipelinedMax + 28)
    expect((await world.ask('/healthz')).statuses).toEqual([200])
  })

  it('is closed without a refusal if it sends garbage while an answer is due', async () => {
    await start({}, { '/never': () => undefined })
    const client = await world.open({ bytes: `${get('/never')}garbage\r\n\r\n` })
    await client.closed
    expect(client.heard).toBe('')
  })
})

describe('too many connections', () => {
  it('of one address are refused with 429, except for operators’ routes', async () => {
    await start({ countsOwnMachine: true, connectionsPerAddressMax: 3 })
    const streams = [await world.ask('/stream'), await world.ask('/stream')]
    const last = await world.ask('/stream')
    const refused = await world.ask('/')
    expect([refused.statuses, codeOf(refused)]).toEqual([[429], 'too_many_from_address'])
    expect(refused.heard).toMatch(/retry-after: \d/)
    await refused.closed
    for (const route of ['/healthz', '/readyz', '/metrics']) {
      const client = await world.ask(route)
      expect([route, client.statuses]).toEqual([route, [200]])
      await client.closed
    }
    last.socket.destroy()
    await world.has(2)
    expect((await world.ask('/')).statuses).toEqual([200])
    expect(streams.map(({ isClosed }) => isClosed)).toEqual([false, false])
    expect(await world.metrics.text()).toContain(
      'settlewire_requests_refused_total{code="too_many_from_address"} 1\n',
    )
  })

  it('in total close the longest idle one, and are refused if none is idle', async () => {
    await start({ connectionsMax: 3 })
    const first = await world.open()
    await world.has(1)
    const second = await world.ask('/')
    await world.ask('/stream')
    await world.ask('/stream')
    await first.closed
    expect(second.isClosed).toBe(false)
    await world.ask('/stream')
    await second.closed
    expect(await world.cutFor('made_room')).toBe(2)
    const refused = await world.ask('/')
    expect([refused.statuses, codeOf(refused)]).toEqual([[503], 'too_many_connections'])
    expect((await world.ask('/healthz')).statuses).toEqual([200])
  })

  it('beyond the limit close silent ones first, so that /healthz is still answered', async () => {
    await start({ connectionsMax: 1 })
    await world.ask('/stream')
    const silent = await Promise.all(Array.from({ length: 70 }, () => world.open()))
    await vi.waitFor(() => {
      expect(silent.filter(({ isClosed }) => isClosed).length).toBeGreaterThan(5)
    }, patience)
    expect((await world.ask('/healthz')).statuses).toEqual([200])
  })

  it('behind a proxy are counted as open requests per forwarded address', async () => {
    await start({ connectionsPerAddressMax: 2 })
    const from = (address: string): string => `x-forwarded-for: 198.51.100.1, ${address}\r\n`
    const one = await world.ask('/stream', from('2001:db8::1'))
    await world.ask('/stream', from('2001:db8::2'))
    const refused = await world.ask('/stream', from('2001:db8::3'))
    expect([refused.statuses, codeOf(refused)]).toEqual([[429], 'too_many_from_address'])
    expect((await world.ask('/stream', from('2001:db8:0:1::1'))).statuses).toEqual([200])
    for (let i = 0; i < 5; i++) await world.ask('/', from('2001:db8:0:1::1'))
    one.socket.destroy()
    await vi.waitFor(async () => {
      expect((await world.ask('/stream', from('2001:db8::3'))).statuses).toEqual([200])
    }, patience)
  })

  it('of a proxy itself are not counted once it forwards requests of clients', async () => {
    await start({ countsOwnMachine: true, connectionsPerAddressMax: 2 })
    for (let client = 1; client <= 6; client++) {
      const stream = await world.ask('/stream', `x-forwarded-for: 203.0.113.${client}\r\n`)
      expect(stream.statuses).toEqual([200])
    }
  })
})

it('/readyz gets a turn before ordinary requests that wait', async () => {
  const first = vi.spyOn(LoopTurns.prototype, 'runFirst')
  await start()
  await world.ask('/readyz')
  await world.ask('/')
  expect(first).toHaveBeenCalledTimes(1)
  first.mockRestore()
})

describe('/healthz', () => {
  it('is answered before any route', async () => {
    const answer = vi.fn()
    await start({}, { '/healthz': answer })
    const client = await world.ask('/healthz?x')
    expect(client.statuses).toEqual([200])
    expect(client.heard).toContain('{"status":"alive"}')
    expect(client.heard).toContain('x-content-type-options: nosniff')
    expect(answer).not.toHaveBeenCalled()
  })

  it('closes its connection while the server closes', async () => {
    await start()
    world.isClosing = true
    const client = await world.ask('/healthz')
    await client.closed
    expect(client.statuses).toEqual([200])
  })
})

it('hundreds of connections that are late at the same time are all cut', async () => {
  await start()
  const sockets = await Promise.all(Array.from({ length: 400 }, () => world.open()))
  await world.has(400)
  await passed(11_000)
  await Promise.all(sockets.map(({ closed }) => closed))
  await world.has(0)
  expect(await world.metrics.text()).toContain('settlewire_connections_open 0\n')
})
