import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HttpWorld } from '../../../test/support/http-world.ts'
import { failureOf } from './problem.ts'

let world: HttpWorld
beforeEach(async () => {
  world = await HttpWorld.start()
})
afterEach(() => world.close())

const path = '/v1/payment-intents'

/** A connection that sends these bytes and stays open. */
async function opened(
  bytes: string,
): Promise<{ socket: Socket; heard: () => string; end: Promise<void> }> {
  const { hostname, port } = new URL(world.url)
  let text = ''
  const socket = connect(Number(port), hostname)
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  socket.on('error', () => undefined)
  const end = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  if (bytes !== '') socket.write(bytes)
  return { socket, heard: () => text, end }
}

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (let i = 0; i < 500; i++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('never held')
}

/** Holds all commits until `release`. `reached` resolves at the first commit. */
function holdAppends(): { reached: Promise<void>; release: () => void } {
  const reached = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  world.engine.around = async (method, call) => {
    if (method === 'append') {
      reached.resolve()
      await released.promise
    }
    return call()
  }
  return { reached: reached.promise, release: released.resolve }
}

describe('readiness', () => {
  it('lists the chains, and stays ready when one is blind', async () => {
    const unseen = { visibility: 'blind', reason: 'not_started', head: null, headAt: null } as const
    world.engine.engine.watcher.health({ chain: 'local', ...unseen })
    const answer = await world.ask('/readyz', { key: null })
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({
      status: 'ready',
      checks: { serving: { ok: true }, store: { ok: true }, backplane: { ok: true } },
    })
    expect(answer.json.chains).toContainEqual(
      expect.objectContaining({ chain: 'local', visibility: 'blind', reason: 'not_started' }),
    )
  })

  it('is lost when the backplane delivers no hints, while liveness stays', async () => {
    world.backplane.announce = () => undefined
    const asked = world.ask('/readyz', { key: null })
    await until(() => world.engine.clock.waiting > 0)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await world.engine.clock.advance(2_000)
    const answer = await asked
    expect(answer.status).toBe(503)
    expect(answer.json.checks.backplane).toEqual({ ok: false, reason: 'no_answer' })
    expect((await world.ask('/healthz', { key: null })).status).toBe(200)
  })

  it('is lost when the database takes no writes', async () => {
    const broken = await HttpWorld.start({
      proveWrites: () => Promise.reject(new Error('no database')),
    })
    const answer = await broken.ask('/readyz', { key: null })
    expect(answer.status).toBe(503)
    expect(answer.json.checks.store).toEqual({ ok: false, reason: 'failed' })
    expect(answer.text).not.toContain('no database')
    await broken.close()
  })
})

describe('metrics', () => {
  it('cover streams and lag, without ids of payments or merchants', async () => {
    const payment = await world.create()
    await world.ask(`${path}/${payment.id}/events?wait=1`)
    const { text, headers } = await world.ask('/metrics', { key: null })
    expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(text).toContain('settlewire_streams_open{transport="sse"} 0')
    expect(text).toContain('# TYPE settlewire_event_lag_seconds histogram')
    expect(text).not.toMatch(/pi_|mer_|duration/)
  })
})

it('metrics are computed once a second for all requests', async () => {
  const made = vi.spyOn(world.metrics, 'text')
  const asked = Array.from({ length: 20 }, () => world.ask('/metrics', { key: null }))
  const texts = new Set((await Promise.all(asked)).map(({ text }) => text))
  expect([made.mock.calls.length, texts.size]).toEqual([1, 1])
  await world.engine.clock.advance(1_000)
  await world.ask('/metrics', { key: null })
  expect(made).toHaveBeenCalledTimes(2)
})

it('/healthz ignores credentials and refuses other methods than GET and HEAD', async () => {
  const headers = { authorization: 'nonsense' }
  const answer = await world.ask('/healthz?x', { key: null, headers })
  expect([answer.status, answer.json]).toEqual([200, { status: 'alive' }])
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(answer.headers.get('request-id')).toMatch(/^req_/)
  const head = await world.ask('/healthz', { key: null, method: 'HEAD' })
  expect([head.status, head.text]).toEqual([200, ''])
  expect((await world.ask('/healthz', { key: null, method: 'PUT' })).status).toBe(405)
})

describe('an error of the framework, before any route', () => {
  it.each([
    ['a path that cannot be decoded', '/%zz'],
    ['a parameter that is too long', `${path}/${'a'.repeat(1_000)}`],
    ['an unknown route', '/nowhere'],
  ])('is answered like every other request, with all headers: %s', async (_, url) => {
    const secure = await HttpWorld.start({ publicUrl: () => 'https://pay.example' })
    const wrong = await secure.ask(url, { key: null })
    const other = await secure.ask('/v1/chains', { key: null })
    await secure.close()
    expect([wrong.status, wrong.json.code]).toEqual([404, 'not_found'])
    expect(wrong.headers.get('request-id')).toBe(wrong.json.requestId)
    expect(wrong.headers.get('strict-transport-security')).toBe('max-age=31536000')
    // Except what depends on the refusal itself.
    const own = new Set(['content-length', 'date', 'www-authenticate'])
    const names = ({ headers }: typeof wrong) =>
      [...headers.keys()].filter((name) => !own.has(name))
    const crossOrigin = /^access-control-/
    expect(names(wrong)).toEqual(names(other).filter((name) => !crossOrigin.test(name)))
  })

  it('is an internal one if it is not the fault of the client', () => {
    const bug = Object.assign(new Error('x'), { code: 'FST_ERR_ASYNC_CONSTRAINT', statusCode: 500 })
    expect(failureOf(bug).code).toBe('internal')
  })
})

it('the OpenAPI document and the reference page are made once and not for each request', async () => {
  const printed = vi.spyOn(world.server.fastify, 'swagger')
  const pages: string[] = []
  for (const url of ['/openapi.json', '/docs/', '/openapi.json', '/docs', '/docs/']) {
    pages.push((await world.ask(url, { key: null })).text)
  }
  // One for the reference page. `/openapi.json` was printed at the start.
  expect(printed).toHaveBeenCalledTimes(1)
  expect(new Set(pages).size).toBe(2)
})

describe('closing the server', () => {
  it('lets running requests finish, answers long-polls, and refuses new requests', async () => {
    const { id } = await world.create()
    const poll = world.ask(`${path}/${id}/events?after=1&wait=25`)
    await until(async () => (await world.metrics.text()).includes('{transport="long_poll"} 1'))
    const { reached, release } = holdAppends()
    const creating = world.ask(path, { body: { amount: '1.00', currency: 'USDC' } })
    await reached

    const closed = world.server.close()
    expect((await poll).json.data).toEqual([])
    release()
    expect((await creating).status).toBe(201)
    await closed
    await expect(world.ask('/healthz')).rejects.toThrow()
  })

  it('does not wait for connections without a complete request', async () => {
    const silent = await opened('')
    const half = await opened('GET /healthz HTTP/1.1\r\nhost: x\r\n')
    const idle = await opened('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
    await until(() => idle.heard().includes('alive'))
    const startedAt = performance.now()
    await world.server.close()
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    await Promise.all([silent.end, half.end, idle.end])
  })

  it('ends streams with a retry', async () => {
    const { id } = await world.create()
    const get = `GET ${path}/${id}/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${world.secretKey}\r\n\r\n`
    const stream = await opened(get)
    await until(() => stream.heard().includes('payment_intent.created'))
    await world.server.close()
    await stream.end
    expect(stream.heard()).toMatch(/retry: 500\n\n$/)
  })

  it('cuts requests that do not finish in time', async () => {
    const { reached, release } = holdAppends()
    const creating = world.ask(path, { body: { amount: '1.00', currency: 'USDC' } })
    const cut = expect(creating).rejects.toThrow()
    await reached
    const closed = world.server.close()
    await world.engine.clock.advance(5_000)
    await closed
    await cut
    release()
  })

  it('may be called twice', async () => {
    await Promise.all([world.server.close(), world.server.close()])
  })
})

describe('a request that hangs', () => {
  it('is answered after 30 s, saying that it may still take effect', async () => {
    const { reached, release } = holdAppends()
    const asked = world.ask(path, { body: { amount: '1.00', currency: 'USDC' } })
    await reached
    await world.engine.clock.advance(30_000)
    const answer = await asked
    expect([answer.status, answer.json.code]).toEqual([503, 'overloaded'])
    expect(answer.json.detail).toContain('may still take effect')
    release()
  })
})

describe('routes of plugins', () => {
  it('use the same gate and answer the same problem documents', async () => {
    const own = await HttpWorld.start({
      plugins: [
        (app, gate) => {
          app.post('/v1/test/payment-intents/:id/touch', async (request) => {
            const { id } = request.params as { id: string }
            const needs = {
              scope: 'payment_intents:write',
              paymentId: id,
              allowsClient: true,
            } as const
            const { principal, payment } = await gate.open(request, needs)
            return { by: principal.kind, status: payment.status }
          })
        },
      ],
    })
    const { id, clientSecret } = await own.create()
    const url = `/v1/test/payment-intents/${id}/touch`
    expect((await own.ask(url, { body: {} })).json).toEqual({ by: 'secret', status: 'awaiting' })
    const client = await own.ask(url, { body: {}, key: clientSecret })
    expect(client.json).toEqual({ by: 'client', status: 'awaiting' })
    const stranger = await own.ask(url, { body: {}, key: await own.strangersKey() })
    expect([stranger.status, stranger.json.code]).toEqual([404, 'not_found'])
    expect((await own.ask(url, { body: {}, key: null })).status).toBe(401)
    await own.close()
  })
})
