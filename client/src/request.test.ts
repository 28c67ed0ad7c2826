import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { adviceFor, retryFor } from './advice.ts'
import { Client } from './client.ts'
import { sendForJson } from './request.ts'
import { RequestError } from './request-error.ts'

let server: Server | null = null

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function listen(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on TCP
}

async function failure(call: Promise<unknown>): Promise<RequestError> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(RequestError)
  return error as RequestError // checked in the line above
}

const answer = (status: number, type: string, body: string, headers = {}) =>
  listen((_, response) =>
    response.writeHead(status, { 'content-type': type, ...headers }).end(body),
  )

describe('a call of the client', () => {
  it.each([
    [
      'claim',
      (c: Client) => c.claim('pi_1', { txHash: '0xab' }),
      'POST /v1/payment-intents/pi_1/claims {"txHash":"0xab"}',
    ],
    [
      'resolve',
      (c: Client) => c.resolve('pi_1', { action: 'wait', reason: 'r' }),
      'POST /v1/payment-intents/pi_1/resolve {"action":"wait","reason":"r"}',
    ],
    ['policy', (c: Client) => c.policy('pi_1'), 'GET /v1/payment-intents/pi_1/policy '],
    ['chains', (c: Client) => c.chains(), 'GET /v1/chains '],
  ] as const)(
    '%s requests its route, and each POST has an idempotency key',
    async (_, call, said) => {
      const asked: string[] = []
      const baseUrl = await listen(async (request, response) => {
        let body = ''
        for await (const chunk of request) body += String(chunk)
        asked.push(`${request.method} ${request.url} ${body}`)
        const hasKey = /^[0-9a-f]{32}$/.test(String(request.headers['idempotency-key']))
        expect(hasKey).toBe(request.method === 'POST')
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"answer":1}')
      })
      expect(await call(new Client({ baseUrl }))).toEqual({ answer: 1 })
      expect(asked).toEqual([said])
    },
  )
})

describe('the RequestError of a failed request', () => {
  it('has the code, fields and request id of the problem document', async () => {
    const errors = [{ pointer: '/amount', detail: 'too small' }, { odd: true }]
    const body = { code: 'invalid_request', detail: 'No.', requestId: 'req_9', errors }
    const baseUrl = await answer(400, 'application/problem+json', JSON.stringify(body))
    const error = await failure(new Client({ baseUrl }).get('pi_1'))
    expect(error).toMatchObject({ code: 'invalid_request', status: 400, requestId: 'req_9' })
    expect(error.message).toBe('No.')
    expect(error.fields).toEqual([{ pointer: '/amount', detail: 'too small' }])
    expect(adviceFor(error.code)).toContain('errors[]')
    expect(error.isFinal).toBe(true)
  })

  it('has the wait of the header Retry-After', async () => {
    const body = JSON.stringify({ code: 'rate_limited', title: 'Too many.' })
    const baseUrl = await answer(429, 'application/problem+json', body, { 'retry-after': '7' })
    const error = await failure(new Client({ baseUrl }).get('pi_1'))
    expect(error).toMatchObject({ code: 'rate_limited', retryAfterMs: 7_000, isFinal: false })
    expect(error.message).toBe('Too many.')
  })

  it('keeps a code that is newer than this client, and is not final', async () => {
    const baseUrl = await answer(409, 'application/problem+json', '{"code":"of_tomorrow"}')
    const error = await failure(new Client({ baseUrl }).get('pi_1'))
    expect(error).toMatchObject({ code: 'of_tomorrow', isFinal: false })
    expect(adviceFor(error.code)).toBe('')
    expect(retryFor(error.code)).toBeNull()
  })

  it.each([
    [502, 'text/html', '<h1>Bad gateway</h1>'],
    [404, 'text/plain', 'unknown backend'],
    [500, 'application/problem+json', 'not json'],
    [200, 'text/html', '<h1>Log in to this network</h1>'],
  ])('is not final for a response of a proxy: %i %s', async (status, type, body) => {
    const baseUrl = await answer(status, type, body)
    const error = await failure(new Client({ baseUrl }).get('pi_1'))
    expect(error).toMatchObject({ code: 'unexpected_answer', status, isFinal: false })
  })

  it('has the code unreachable without any response', async () => {
    const baseUrl = await listen((request) => request.socket.destroy())
    const error = await failure(new Client({ baseUrl }).get('pi_1'))
    expect(error).toMatchObject({ code: 'unreachable', status: null, isFinal: false })
    expect(retryFor(error.code)).toBe('later')
    expect(adviceFor(error.code)).toContain('/healthz')
  })

  it('is not created for a request that the caller aborted', async () => {
    const baseUrl = await listen(() => undefined)
    const abort = new AbortController()
    const call = sendForJson({ baseUrl }, { path: '/', signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
  })

  it('is not created for a problem whose body the caller aborted', async () => {
    const abort = new AbortController()
    const baseUrl = await listen((_, response) => {
      response.writeHead(409, { 'content-type': 'application/problem+json' })
      response.write('{"code":', () => setTimeout(() => abort.abort(new Error('enough')), 50))
    })
    const call = sendForJson({ baseUrl }, { path: '/', signal: abort.signal })
    await expect(call).rejects.toThrow('enough')
  })
})

describe('the requests of the client', () => {
  const seen: { method: string; url: string; key: string; auth: string; body: string }[] = []
  const record = () =>
    listen(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      const { method = '', url = '', headers } = request
      const key = String(headers['idempotency-key'] ?? '')
      seen.push({ method, url, key, auth: headers.authorization ?? '', body })
      response.setHeader('content-type', 'application/json')
      response.end('{"id":"pi_1","data":[],"next":null}')
    })

  it('have the paths of the contract, and each POST has its own idempotency key', async () => {
    const client = new Client({ baseUrl: `${await record()}/`, key: 'sk_test_1' })
    await client.create({ amount: '1.00', currency: 'USDC', accept: ['USDC.local'] })
    await client.create(
      { amount: '1.00', currency: 'USDC', accept: ['USDC.local'] },
      { idempotencyKey: 'order-42' },
    )
    await client.cancel('pi_1')
    await client.payFromSandbox('pi_1')
    await client.get('pi_/../1')
    await client.list({ status: 'expired', limit: 5 })
    await client.events('pi_1', { after: 3, wait: 25 })
    expect(seen.map((one) => `${one.method} ${one.url}`)).toEqual([
      'POST /v1/payment-intents',
      'POST /v1/payment-intents',
      'POST /v1/payment-intents/pi_1/cancel',
      'POST /v1/test/payment-intents/pi_1/pay',
      'GET /v1/payment-intents/pi_%2F..%2F1',
      'GET /v1/payment-intents?status=expired&limit=5',
      'GET /v1/payment-intents/pi_1/events?after=3&wait=25',
    ])
    const keys = seen.map((one) => one.key)
    expect(keys[1]).toBe('order-42')
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/)
    expect(new Set(keys.slice(0, 4)).size).toBe(4)
    expect(keys.slice(4)).toEqual(['', '', ''])
    expect(seen.every((one) => one.auth === 'Bearer sk_test_1')).toBe(true)
    expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject({ amount: '1.00' })
  })
})
