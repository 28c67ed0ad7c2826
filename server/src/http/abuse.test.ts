import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, HttpWorld } from '../../../test/support/http-world.ts'

let world: HttpWorld
let payment: Answered['json']
beforeAll(async () => {
  world = await HttpWorld.start()
  payment = await world.create()
})
afterAll(() => world.close())

const path = '/v1/payment-intents'

/** Sends raw bytes; resolves with all that the server answers until it closes the connection. */
function raw(bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(world.url)
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

describe('an invalid body', () => {
  it.each([
    ['truncated JSON', '{"amount":', 400, 'malformed_body'],
    ['a bare word', 'amount', 400, 'malformed_body'],
    ['two values', '{}{}', 400, 'malformed_body'],
    ['a prototype', '{"__proto__":{"admin":true}}', 400, 'malformed_body'],
    ['a nested prototype', '{"metadata":{"__proto__":"x"}}', 400, 'malformed_body'],
    ['a constructor', '{"constructor":{"prototype":{"a":1}}}', 400, 'malformed_body'],
    ['an array', '[]', 400, 'invalid_request'],
    ['null', 'null', 400, 'invalid_request'],
    ['a number', '1e999', 400, 'invalid_request'],
    ['an empty body', '', 400, 'invalid_request'],
    ['deep nesting', '['.repeat(30_000) + ']'.repeat(30_000), 400, 'invalid_request'],
    ['too many bytes', `{"reference":"${'x'.repeat(70_000)}"}`, 413, 'body_too_large'],
  ])('gets an error that names the problem: %s', async (_, body, status, code) => {
    const answer = await world.ask(path, { body })
    expect([answer.status, answer.json.code]).toEqual([status, code])
  })

  it('that is not UTF-8 is refused', async () => {
    const body = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])
    const answer = await raw(
      Buffer.concat([Buffer.from(head('POST', path, [`content-length: ${body.length}`])), body]),
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('malformed_body')
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonx',
    'nonsense',
    '*/*',
  ])('of another type is refused: %s', async (type) => {
    const answer = await world.ask(path, { body: '{}', headers: { 'content-type': type } })
    expect([answer.status, answer.json.code]).toEqual([415, 'unsupported_media_type'])
  })

  it('may have a charset in its content type if it is valid JSON', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    const body = { amount: '1.00', currency: 'USDC' }
    expect((await world.ask(path, { body, headers })).status).toBe(201)
  })
})

describe('a POST without a body', () => {
  const lines = (type: string, length: string): string =>
    `host: x\r\nauthorization: Bearer ${world.secretKey}\r\nconnection: close\r\n${type}${length}\r\n`

  it.each([
    ['without a type', '', ''],
    ['of no length', '', 'content-length: 0\r\n'],
    ['as JSON', 'content-type: application/json\r\n', 'content-length: 0\r\n'],
    ['as a form', 'content-type: application/x-www-form-urlencoded\r\n', 'content-length: 0\r\n'],
    ['with a malformed type', 'content-type: nonsense\r\n', 'content-length: 0\r\n'],
    ['in chunks', '', 'transfer-encoding: chunked\r\n'],
    ['in chunks as a form', 'content-type: text/plain\r\n', 'transfer-encoding: chunked\r\n'],
  ])('is accepted where every field is optional: %s', async (_, type, length) => {
    const { id } = await world.create()
    const chunks = length.startsWith('transfer') ? '0\r\n\r\n' : ''
    const post = `POST ${path}/${id}/cancel HTTP/1.1\r\n${lines(type, length)}${chunks}`
    expect(await raw(post)).toMatch(/^HTTP\/1\.1 200 /)
    expect((await world.ask(`${path}/${id}`)).json.status).toBe('cancelled')
  })

  it('does not include a chunked body of another type, which is refused', async () => {
    const chunked = lines('content-type: text/plain\r\n', 'transfer-encoding: chunked\r\n')
    const answer = await raw(
      `POST ${path}/${payment.id}/cancel HTTP/1.1\r\n${chunked}2\r\n{}\r\n0\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 415 /)
  })
})

const head = (method: string, url: string, more: readonly string[] = []): string =>
  [
    `${method} ${url} HTTP/1.1`,
    'host: x',
    `authorization: Bearer ${world.secretKey}`,
    'content-type: application/json',
    'connection: close',
    ...more,
    '',
    '',
  ].join('\r\n')

/** The body of a raw answer. */
const documentOf = (answer: string) => JSON.parse(answer.split('\r\n\r\n')[1] ?? '')

describe('malformed HTTP', () => {
  const tooLong = 'y'.repeat(20_000)
  it.each([
    ['garbage', 400, 'invalid_request', 'hello\r\n\r\n'],
    ['a large head', 431, 'head_too_large', () => head('GET', path, [`x: ${tooLong}`])],
    ['a long address', 431, 'head_too_large', () => head('GET', `${path}?reference=${tooLong}`)],
    [
      'two lengths',
      400,
      'invalid_request',
      () => head('POST', path, ['content-length: 1', 'content-length: 2']),
    ],
    [
      'a length and chunks',
      400,
      'invalid_request',
      () => head('POST', path, ['content-length: 1', 'transfer-encoding: chunked']),
    ],
    ['a space before the colon', 400, 'invalid_request', () => head('GET', path, ['x : y'])],
    [
      'broken chunks',
      400,
      'malformed_body',
      () => `${head('POST', path, ['transfer-encoding: chunked'])}zz\r\n`,
    ],
    ['an unknown method', 405, 'method_not_allowed', 'BREW /pot HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['CONNECT', 405, 'method_not_allowed', 'CONNECT x:443 HTTP/1.1\r\nhost: x:443\r\n\r\n'],
    ['no host', 400, 'invalid_request', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['two hosts', 400, 'invalid_request', () => head('GET', path, ['host: y'])],
    ['the same host twice', 400, 'invalid_request', () => head('GET', '/readyz', ['Host: x'])],
    [
      'two hosts in HTTP/1.0',
      400,
      'invalid_request',
      'GET / HTTP/1.0\r\nhost: x\r\nhost: y\r\n\r\n',
    ],
    ['a host with a space', 400, 'invalid_request', 'GET / HTTP/1.1\r\nhost: x y\r\n\r\n'],
    ['a host with a path', 400, 'invalid_request', 'GET / HTTP/1.1\r\nhost: x/y\r\n\r\n'],
    ['a host with a user', 400, 'invalid_request', 'GET / HTTP/1.1\r\nhost: u@x\r\n\r\n'],
    ['a list of hosts', 400, 'invalid_request', 'GET / HTTP/1.1\r\nhost: x, y\r\n\r\n'],
    ['a host with no port number', 400, 'invalid_request', 'GET / HTTP/1.1\r\nhost: x:y\r\n\r\n'],
    ['a host beyond ASCII', 400, 'invalid_request', 'GET / HTTP/1.1\r\nhost: \xfcx\r\n\r\n'],
    [
      'an expectation',
      417,
      'expectation_failed',
      () => head('POST', path, ['expect: more', 'content-length: 2']),
    ],
  ])('gets a problem document and a closed connection: %s', async (_, status, code, bytes) => {
    const answer = await raw(typeof bytes === 'string' ? bytes : bytes())
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer).toContain('content-type: application/problem+json')
    expect(answer).toContain('x-content-type-options: nosniff')
    expect(answer).toContain("content-security-policy: default-src 'none'")
    expect(answer).toMatch(/request-id: req_/)
    expect(documentOf(answer)).toMatchObject({ status, code, requestId: expect.any(String) })
    expect(answer.includes('allow: GET')).toBe(status === 405)
  })

  it('does not include an Upgrade, which is treated as a plain request', async () => {
    const upgrade = ['connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13']
    const bytes = `GET /v1/stream HTTP/1.1\r\nhost: x\r\n${upgrade.join('\r\n')}\r\n\r\n`
    const { hostname, port } = new URL(world.url)
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    const [answer] = await once(socket, 'data')
    socket.destroy()
    expect(String(answer)).toMatch(/^HTTP\/1\.1 404 /)
    expect(documentOf(String(answer)).code).toBe('not_found')
  })

  it.each(['x', 'x:', 'shop.example:8080', '127.0.0.1', '[::1]:80', 'a_b-c.d~e', ''])(
    'does not include the host "%s"',
    async (host) => {
      const answer = await raw(
        `GET /healthz HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
      )
      expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    },
  )

  it('does not include HTTP/1.0 without a Host header', async () => {
    const answer = await raw('GET /v1/chains HTTP/1.0\r\n\r\n')
    expect(documentOf(answer).code).toBe('unauthenticated')
  })

  it.each([
    '/%',
    '/%zz',
    '/v1/payment-intents/%',
    '//',
    '/v1//payment-intents',
    '/v1/payment-intents/',
    `/v1/payment-intents/${'a'.repeat(1_000)}`,
  ])('of the path gets 404: %s', async (url) => {
    const answer = await raw(head('GET', url))
    expect(answer).toMatch(/^HTTP\/1\.1 404 /)
    expect(answer).toContain('"code":"not_found"')
    expect(answer).toMatch(/x-content-type-options: nosniff/)
    const [, header = 'none'] = /request-id: (req_\w+)/.exec(answer) ?? []
    expect(documentOf(answer).requestId).toBe(header)
    expect(answer).not.toContain('strict-transport-security')
  })

  it('with two Authorization headers uses the first, if it is valid', async () => {
    const twice = [`authorization: Bearer no`]
    expect(await raw(head('GET', path, twice))).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('with two Authorization headers never uses the second', async () => {
    const answer = await raw(
      `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer no\r\nauthorization: Bearer ${world.secretKey}\r\nconnection: close\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
  })
})

describe('an unsupported method', () => {
  it.each([
    ['DELETE', path, 'GET, HEAD, POST'],
    ['PUT', `${path}/pi_x`, 'GET, HEAD, OPTIONS'],
    ['GET', `${path}/pi_x/cancel`, 'POST'],
    ['POST', '/healthz', 'GET, HEAD'],
  ])('gets 405, and an unknown path 404: %s %s', async (method, url, allowed) => {
    const answer = await world.ask(url, { method })
    expect([answer.status, answer.json.code]).toEqual([405, 'method_not_allowed'])
    expect(answer.headers.get('allow')?.split(', ').sort().join(', ')).toBe(allowed)
    expect((await world.ask(`/nowhere${url}`, { method })).status).toBe(404)
  })
})

describe('pages of other origins', () => {
  const origin = 'https://evil.example'

  it('may read a payment with its client secret, but not with a cookie', async () => {
    for (const end of ['', '/events']) {
      const url = `${path}/${payment.id}${end}`
      const read = await world.ask(url, { key: payment.clientSecret, headers: { origin } })
      expect(read.headers.get('access-control-allow-origin')).toBe('*')
      expect(read.headers.get('access-control-allow-credentials')).toBeNull()
      const preflight = await world.ask(url, { method: 'OPTIONS', key: null, headers: { origin } })
      expect(preflight.status).toBe(204)
      expect(preflight.headers.get('access-control-allow-methods')).toBe('GET')
      expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
      const refused = await world.ask(url, { key: null, headers: { origin } })
      expect(refused.headers.get('access-control-allow-origin')).toBe('*')
    }
  })

  it.each([path, `${path}/pi_x/cancel`, '/v1/events', '/openapi.json', '/metrics'])(
    'may not read %s',
    async (url) => {
      const answer = await world.ask(url, { headers: { origin } })
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
      const preflight = await world.ask(url, { method: 'OPTIONS', headers: { origin } })
      expect(preflight.headers.get('access-control-allow-origin')).toBeNull()
    },
  )

  it('may read /v1/chains', async () => {
    const answer = await world.ask('/v1/chains', { headers: { origin } })
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  })
})

it('every answer has the security headers', async () => {
  for (const url of [
    path,
    '/nowhere',
    '/healthz',
    '/metrics',
    '/openapi.json',
    '/docs/',
    '/pay/x/y',
  ]) {
    const { headers } = await world.ask(url)
    expect([url, headers.get('x-content-type-options')]).toEqual([url, 'nosniff'])
    expect([url, headers.get('referrer-policy')]).toEqual([url, 'no-referrer'])
    expect([url, headers.get('content-security-policy')]).toEqual([
      url,
      expect.stringContaining("default-src 'none'"),
    ])
    expect([url, headers.get('x-powered-by')]).toEqual([url, null])
    expect(headers.get('request-id')).toMatch(/^req_/)
  }
})

it('random requests never get 500', async () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.constantFrom('', '0', '-1', '..'),
  )
  const value = fc.oneof(fc.jsonValue(), word, fc.bigInt().map(String), fc.double().map(String))
  const body = fc.record(
    {
      amount: fc.oneof(value, fc.constantFrom('1.00', '-1', `1${'0'.repeat(60)}`, '1e21', '٣.٠٠')),
      currency: fc.oneof(value, fc.constant('USDC')),
      accept: fc.oneof(value, fc.array(fc.oneof(word, fc.constant('USDC.local')))),
      expiresIn: value,
      reference: value,
      metadata: fc.oneof(value, fc.dictionary(word, value)),
      redirectUrl: fc.oneof(value, fc.webUrl()),
    },
    { requiredKeys: [] },
  )
  const queries = fc.array(
    fc.tuple(
      fc.constantFrom('after', 'limit', 'wait', 'cursor', 'status', 'reference', 'txHash', 'x'),
      fc.oneof(word, fc.integer().map(String)),
    ),
    { maxLength: 3 },
  )
  const post = fc.record({ method: fc.constant('POST'), body, key: word, end: fc.constant('') })
  const get = fc.record({
    method: fc.constant('GET'),
    queries,
    end: fc.constantFrom('', '/events'),
  })
  await fc.assert(
    fc.asyncProperty(fc.oneof(post, get), async (asked) => {
      const answer = await (asked.method === 'POST' && 'body' in asked
        ? world.ask(path, { body: asked.body, headers: keyHeader(asked.key) })
        : world.ask(urlOf(asked as { queries: [string, string][]; end: string }), {}))
      expect(answer.status).toBeLessThan(500)
      if (answer.status >= 400) expect(answer.json.code).not.toBe('internal')
    }),
    { numRuns: 400 },
  )
}, 60_000)

function urlOf({ queries, end }: { queries: [string, string][]; end: string }): string {
  const search = queries
    .filter(([name]) => name !== 'wait')
    .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
  return `${path}${end === '' ? '' : `/${payment.id}${end}`}?${search.join('&')}`
}

function keyHeader(key: string): Record<string, string> {
  return /^[\x20-\x7e]+$/.test(key) ? { 'idempotency-key': key } : {}
}
