import { afterEach, describe, expect, it, vi } from 'vitest'
import { edgeLimits, HttpWorld } from '../../../../test/support/http-world.ts'
import { RawClient } from '../../../../test/support/raw-client.ts'
import type { EdgeLimits } from '../../edge-limits.ts'
import type { HttpPlugin } from '../context.ts'

let world: HttpWorld
const clients: RawClient[] = []

const start = async (limits: Partial<EdgeLimits> = {}, plugins: HttpPlugin[] = []) => {
  world = await HttpWorld.start({ edge: { ...edgeLimits, ...limits }, plugins })
}
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy()
  await world.close()
})

async function open(how: Parameters<typeof RawClient.open>[1] = {}): Promise<RawClient> {
  const client = await RawClient.open(world.url, how)
  clients.push(client)
  return client
}

const get = (path: string, more = ''): string =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${world.secretKey}\r\n${more}\r\n`

const path = '/v1/payment-intents'
const passed = (ms: number): Promise<void> => world.engine.clock.advance(ms)
const answered = (client: RawClient, count = 1) =>
  vi.waitFor(() => expect(client.statuses.length).toBeGreaterThanOrEqual(count), 15_000)
const opened = (): Promise<number> =>
  new Promise((resolve) => {
    world.server.fastify.server.getConnections((_, count) => resolve(count))
  })
const noneOpen = () => vi.waitFor(async () => expect(await opened()).toBe(0), 10_000)
const cutFor = async (why: string): Promise<number> => {
  const found = new RegExp(`cut_total\\{why="${why}"\\} (\\d+)`).exec(await world.metrics.text())
  return Number(found?.[1] ?? 0)
}
/** The code of the last answer, which is a problem. */
const codeOf = ({ heard }: RawClient) => /"code":"([a-z_]+)"/.exec(heard)?.[1]

describe('a client that does not send', () => {
  it('is closed on both sides when it was silent for too long, whatever it keeps open itself', async () => {
    await start()
    const silent = await Promise.all(Array.from({ length: 40 }, () => open({ holdsOn: true })))
    await vi.waitFor(async () => expect(await opened()).toBe(40), 10_000)
    await passed(9_000)
    expect(await opened()).toBe(40)
    await passed(2_000)
    await noneOpen()
    expect(silent.map(({ heard }) => heard).join('')).toBe('')
    expect(await cutFor('silent')).toBe(40)
  })

  it('is told so when part of a head had come, drop by drop too, and then destroyed', async () => {
    await start()
    const drip = await open({ bytes: 'GET / HTTP/1.1\r\n', holdsOn: true })
    for (let header = 0; header < 200 && drip.statuses.length === 0; header++) {
      await passed(1_000)
      drip.socket.write(`x-${header}: y\r\n`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect([drip.statuses, codeOf(drip)]).toEqual([[408], 'request_timeout'])
    await passed(1_000)
    await noneOpen()
  })

  it('is told so when the body does not arrive', async () => {
    await start()
    const length = 'content-type: application/json\r\ncontent-length: 100\r\n'
    const head = get(path, length).replace('GET', 'POST')
    const slow = await open({ bytes: `${head}{"amount"`, holdsOn: true })
    await vi.waitFor(async () => {
      await passed(10_000)
      expect(slow.statuses).toEqual([408])
    }, 10_000)
    expect(codeOf(slow)).toBe('request_timeout')
    await passed(1_000)
    await noneOpen()
    expect(await cutFor('body_timeout')).toBe(1)
  })

  it('keeps a connection between two requests, and not for ever', async () => {
    await start()
    const client = await open({ bytes: get('/v1/chains') })
    await answered(client)
    await passed(60_000)
    client.socket.write(get('/v1/chains'))
    await answered(client, 2)
    await passed(77_000)
    await client.closed
    expect(await cutFor('idle')).toBe(1)
  })
})

describe('a client that does not read', () => {
  const ask = (of: string): string => get(of).repeat(300)

  it.each(['/openapi.json', '/metrics', `${path}?limit=100`, '/docs/static/swagger-ui-bundle.js'])(
    'is answered no further than it reads, and cut: %s',
    async (route) => {
      await start()
      await world.create()
      const answers = vi.fn()
      world.server.fastify.server.on('request', (_, response) => {
        response.once('finish', answers)
      })
      const client = await open({ bytes: ask(route), reads: false })
      await vi.waitFor(() => expect(answers).toHaveBeenCalled())
      await new Promise((resolve) => setTimeout(resolve, 300))
      let most = 0
      await vi.waitFor(async () => {
        most = Math.max(most, process.memoryUsage().arrayBuffers)
        await passed(1_000)
        expect(await opened()).toBe(0)
      }, 30_000)
      expect(most).toBeLessThan(200_000_000)
      expect(client.heard).toBe('')
    },
    40_000,
  )

  it('is cut at once when it leaves more unread than one connection may', async () => {
    const bytes = Buffer.alloc(24_000_000)
    await start({ unreadBytesMax: 1_000_000 }, [
      (app) => {
        app.get('/large', async () => bytes)
      },
    ])
    await open({ bytes: get('/large'), reads: false })
    await vi.waitFor(async () => {
      await passed(1_000)
      expect(await cutFor('unread_bytes')).toBe(1)
    })
  })

  it('is cut first when all together leave too much', async () => {
    const bytes = Buffer.alloc(24_000_000)
    await start({ unreadBytesMax: 1e9, heldBytesMax: 30_000_000 }, [
      (app) => {
        app.get('/large', async () => bytes)
      },
    ])
    await open({ bytes: get('/large'), reads: false })
    const reader = await open({ bytes: get('/v1/chains') })
    await open({ bytes: get('/large'), reads: false })
    await vi.waitFor(async () => {
      await passed(1_000)
      expect(await cutFor('held_bytes')).toBeGreaterThan(0)
    })
    reader.socket.write(get('/v1/chains'))
    await answered(reader, 2)
  })
})

describe('a client that asks ahead', () => {
  it('is answered in order, one request at a time, however many it sends', async () => {
    let [now, most] = [0, 0]
    await start({}, [
      (app) => {
        app.get<{ Params: { n: string } }>('/n/:n', async ({ params }) => {
          most = Math.max(most, ++now)
          await new Promise((resolve) => setTimeout(resolve, 1))
          now--
          return { n: Number(params.n) }
        })
      },
    ])
    const asked = Array.from({ length: 200 }, (_, n) => get(`/n/${n}`)).join('')
    const client = await open({ bytes: asked })
    await answered(client, 200)
    const order = [...client.heard.matchAll(/\{"n":(\d+)\}/g)].map(([, n]) => Number(n))
    expect(order).toEqual(Array.from({ length: 200 }, (_, n) => n))
    expect(most).toBe(1)
  })

  it('cannot keep others from being served: what it sends beyond a few requests is not read', async () => {
    await start({}, [
      (app) => {
        app.get('/never', () => new Promise(() => undefined))
      },
    ])
    const seen = vi.fn()
    world.server.fastify.server.on('request', seen)
    await open({ bytes: get('/never').repeat(2_000) })
    await vi.waitFor(() => expect(seen).toHaveBeenCalled())
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(seen.mock.calls.length).toBeLessThan(1 + edgeLimits.pipelinedMax + 28)
    expect((await world.ask('/healthz', { key: null })).status).toBe(200)
  })
})

describe('too many connections', () => {
  const stream = async (id: string, more = ''): Promise<RawClient> => {
    const client = await open({ bytes: get(`${path}/${id}/stream`, more) })
    await answered(client)
    return client
  }

  it('of one address are refused with advice, while operators still get their answers', async () => {
    await start({ countsOwnMachine: true, connectionsPerAddressMax: 3 })
    const { id } = await world.create()
    const streams = [await stream(id), await stream(id)]
    const last = await stream(id)
    const refused = await stream(id)
    expect([refused.statuses, codeOf(refused)]).toEqual([[429], 'too_many_from_address'])
    expect(refused.heard).toMatch(/retry-after: \d/)
    await refused.closed
    for (const route of ['/healthz', '/readyz', '/metrics']) {
      const client = await open({ bytes: get(route) })
      await answered(client)
      expect([route, client.statuses]).toEqual([route, [200]])
      await client.closed
    }
    last.socket.destroy()
    await vi.waitFor(async () => expect((await stream(id)).statuses).toEqual([200]))
    expect(streams.map(({ isClosed }) => isClosed)).toEqual([false, false])
    expect(await world.metrics.text()).toContain(
      'settlewire_requests_refused_total{code="too_many_from_address"} ',
    )
  })

  it('in all are refused, but first the one that is idle for the longest time is closed', async () => {
    await start({ connectionsMax: 3 })
    const { id } = await world.create()
    await vi.waitFor(async () => expect(await opened()).toBeLessThanOrEqual(1))
    world.server.fastify.server.closeIdleConnections()
    await vi.waitFor(async () => expect(await opened()).toBe(0))
    const [first, second] = [await open(), await open()]
    await stream(id)
    await stream(id)
    await first?.closed
    expect(second?.isClosed).toBe(false)
    await stream(id)
    await second?.closed
    expect(await cutFor('made_room')).toBe(2)
    const refused = await stream(id)
    expect([refused.statuses, codeOf(refused)]).toEqual([[503], 'too_many_connections'])
  })

  it('behind a proxy are open requests of the forwarded address, which ends with them', async () => {
    await start({ connectionsPerAddressMax: 2 })
    const { id } = await world.create()
    const from = (address: string): string => `x-forwarded-for: 198.51.100.1, ${address}\r\n`
    const [one] = [await stream(id, from('2001:db8::1')), await stream(id, from('2001:db8::2'))]
    const refused = await stream(id, from('2001:db8::3'))
    expect([refused.statuses, codeOf(refused)]).toEqual([[429], 'too_many_from_address'])
    expect((await stream(id, from('2001:db8:0:1::1'))).statuses).toEqual([200])
    one?.socket.destroy()
    await vi.waitFor(async () => {
      expect((await stream(id, from('2001:db8::3'))).statuses).toEqual([200])
    })
  })
})

it('figures and contract are made once for many who ask', async () => {
  await start()
  const made = vi.spyOn(world.metrics, 'text')
  const asked = Array.from({ length: 20 }, () => world.ask('/metrics', { key: null }))
  const texts = new Set((await Promise.all(asked)).map(({ text }) => text))
  expect([made.mock.calls.length, texts.size]).toEqual([1, 1])
  await passed(1_000)
  await world.ask('/metrics', { key: null })
  expect(made).toHaveBeenCalledTimes(2)
})

it('health is answered before anything else is looked at', async () => {
  await start()
  const hook = vi.fn()
  world.server.fastify.server.on('request', hook)
  const answer = await world.ask('/healthz?x', {
    key: null,
    headers: { authorization: 'nonsense' },
  })
  expect([answer.status, answer.json]).toEqual([200, { status: 'alive' }])
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  const head = await world.ask('/healthz', { key: null, method: 'HEAD' })
  expect([head.status, head.text]).toEqual([200, ''])
  expect((await world.ask('/healthz', { key: null, method: 'PUT' })).status).toBe(405)
})

it('what is no HTTP behind a request that is being answered ends the connection, and is not its answer', async () => {
  const begun = Promise.withResolvers<void>()
  await start({}, [
    (app) => {
      app.get('/slow', async () => {
        begun.resolve()
        await new Promise((resolve) => setTimeout(resolve, 300))
        return {}
      })
    },
  ])
  const client = await open({ bytes: get('/slow') })
  await begun.promise
  client.socket.write('garbage\r\n\r\n')
  await client.closed
  expect(client.heard).toBe('')
})
