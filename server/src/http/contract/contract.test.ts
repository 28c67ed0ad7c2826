import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Answered, HttpWorld } from '../../../../test/support/http-world.ts'
import type { RouteAccess } from '../access.ts'
import { routeAccess } from '../route-access.ts'

interface Operation {
  readonly security?: readonly Record<string, readonly string[]>[]
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Record<string, { content?: Record<string, { schema: object }> }>
}

interface Contract {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: {
    readonly schemas: Record<string, object>
    readonly securitySchemes: Record<string, object>
  }
}

let world: HttpWorld
let contract: Contract
beforeAll(async () => {
  world = await HttpWorld.start()
  contract = (await world.ask('/openapi.json', { key: null })).json
})
afterAll(() => world.close())

/** Routes that are served but not part of the published contract. */
const unpublished = ['OPTIONS /v1/', 'GET /docs', 'GET /assets/', 'GET /pay/*', 'HEAD ']
const startPage = 'GET /'

/** Forbids unknown fields: clients must ignore them, but in these tests they are a mistake. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict)
  if (typeof schema !== 'object' || schema === null) return schema
  const members = Object.entries(schema).map(([key, member]) => [key, strict(member)] as const)
  const isRecord = 'type' in schema && schema.type === 'object' && 'properties' in schema
  const closed = isRecord && !('additionalProperties' in schema)
  return { ...Object.fromEntries(members), ...(closed && { additionalProperties: false }) }
}

/** Null if an answer matches the published contract of its route and status, else the mismatch. */
function fits(answer: Answered, method: string, route: string): string | null {
  const response = contract.paths[route]?.[method]?.responses[answer.status]
  if (response === undefined) return `${method} ${route} does not declare ${answer.status}`
  const type = answer.headers.get('content-type')?.split(';')[0] ?? ''
  const schema = response.content?.[type]?.schema
  if (schema === undefined) return `${method} ${route} ${answer.status} does not declare ${type}`
  if (!type.includes('json')) return null
  const whole = { ...schema, $defs: contract.components.schemas }
  const text = JSON.stringify(strict(whole)).replaceAll('#/components/schemas/', '#/$defs/')
  const result = z.fromJSONSchema(JSON.parse(text)).safeParse(answer.json)
  return result.success ? null : `${method} ${route} ${answer.status}: ${result.error.message}`
}

/** `METHOD /path` of each route in the tree that Fastify prints with 4 columns per level. */
function routesOf(tree: string): string[] {
  const routes: string[] = []
  const parts: string[] = []
  for (const line of tree.split('\n')) {
    const [, indent = '', part = '', , methods = ''] = /^(.*)── (\S+)( \((.+)\))?$/.exec(line) ?? []
    if (part === '') continue
    const level = Math.floor(indent.length / 4)
    parts.splice(level, parts.length, part)
    for (const method of methods.split(', ').filter(Boolean)) {
      routes.push(`${method} ${parts.join('')}`)
    }
  }
  return routes
}

describe('the published contract', () => {
  it('names every route that is served', () => {
    const served = routesOf(world.server.fastify.printRoutes())
    const all = served.filter(
      (route) => route !== startPage && !unpublished.some((start) => route.startsWith(start)),
    )
    expect(all.length).toBeGreaterThan(10)
    for (const route of all) {
      const [method = '', url = ''] = route.split(' ')
      const published = contract.paths[url.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
      expect([route, published === undefined]).toEqual([route, false])
    }
  })

  it('declares the security, the errors and the path parameters of every route', () => {
    for (const [url, operations] of Object.entries(contract.paths)) {
      for (const operation of Object.values(operations)) {
        expect(Array.isArray(operation.security)).toBe(true)
        expect(operation.responses).toHaveProperty('500')
        if (url.startsWith('/v1/')) expect(operation.responses).toHaveProperty('401')
        for (const [, name] of url.matchAll(/\{(\w+)\}/g)) {
          expect(
            operation.parameters?.some((each) => each.in === 'path' && each.name === name),
          ).toBe(true)
        }
        for (const scheme of operation.security?.flatMap(Object.keys) ?? []) {
          expect(contract.components.securitySchemes).toHaveProperty(scheme)
        }
      }
    }
  })

  it('names the scope of each route', () => {
    for (const [route, access] of Object.entries<RouteAccess>(routeAccess)) {
      const [method = '', url = ''] = route.split(' ')
      const operation = contract.paths[url.replace(':id', '{id}')]?.[method.toLowerCase()]
      const scopes = access.who === 'anyone' || access.scope === 'identity' ? [] : [access.scope]
      expect([route, operation?.security?.[0]]).toEqual([route, { key: scopes }])
    }
  })

  it('has all schemas that it refers to, and no others', () => {
    const text = JSON.stringify(contract)
    const names = [...text.matchAll(/#\/components\/schemas\/([\w-]+)/g)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) expect(contract.components.schemas).toHaveProperty([name ?? ''])
    expect(contract.openapi).toBe('3.1.0')
    expect(new Set(names)).toEqual(new Set(Object.keys(contract.components.schemas)))
  })

  it('matches every answer, refusals included', async () => {
    const path = '/v1/payment-intents'
    const payment = await world.create({ reference: 'r', metadata: { a: 'b' } })
    await world.pay(payment)
    for (let i = 0; i < 3; i++) await world.engine.mine()
    const open = await world.create()
    const stranger = await world.strangersKey()
    const named = await world.create()
    const txHash = `0x${'4e'.repeat(32)}`
    const noted = { action: 'refund_noted', reason: 'Given back by bank transfer.' }
    const asked: readonly [string, string, string, Parameters<HttpWorld['ask']>[1]?][] = [
      ['post', path, path, { body: { amount: '1.00', currency: 'USDC' } }],
      ['post', path, path, { body: { amount: 1 } }],
      ['post', path, path, { body: '{' }],
      ['post', path, path, { body: { amount: '0', currency: 'USDC' } }],
      ['post', path, path, { body: 'x'.repeat(70_000) }],
      ['post', path, path, { body: '<a/>', headers: { 'content-type': 'text/xml' } }],
      ['post', path, path, { body: {}, key: null }],
      ['get', path, `${path}?limit=2`],
      ['get', path, `${path}?limit=x`],
      ['get', `${path}/{id}`, `${path}/${payment.id}`],
      ['get', `${path}/{id}`, `${path}/${payment.id}`, { key: payment.clientSecret }],
      ['get', `${path}/{id}`, `${path}/${payment.id}`, { key: stranger }],
      ['get', `${path}/{id}/events`, `${path}/${payment.id}/events?limit=3`],
      ['get', `${path}/{id}/events`, `${path}/${payment.id}/events?limit=0`],
      ['post', `${path}/{id}/cancel`, `${path}/${open.id}/cancel`, { body: {} }],
      ['post', `${path}/{id}/cancel`, `${path}/${payment.id}/cancel`, { body: {} }],
      ['post', `${path}/{id}/claims`, `${path}/${named.id}/claims`, { body: { txHash } }],
      ['post', `${path}/{id}/claims`, `${path}/${named.id}/claims`, { body: { txHash: '0x' } }],
      ['post', `${path}/{id}/claims`, `${path}/${named.id}/claims`, { body: {}, key: null }],
      ['post', `${path}/{id}/claims`, `${path}/${named.id}/claims`, { body: {}, key: stranger }],
      ['get', `${path}/{id}`, `${path}/${named.id}`],
      ['post', `${path}/{id}/resolve`, `${path}/${payment.id}/resolve`, { body: noted }],
      ['post', `${path}/{id}/resolve`, `${path}/${named.id}/resolve`, { body: noted }],
      ['post', `${path}/{id}/resolve`, `${path}/${named.id}/resolve`, { body: {} }],
      ['post', `${path}/{id}/resolve`, `${path}/${named.id}/resolve`, { body: {}, key: stranger }],
      ['get', `${path}/{id}/policy`, `${path}/${payment.id}/policy`],
      ['get', `${path}/{id}/policy`, `${path}/${named.id}/policy`, { key: named.clientSecret }],
      ['get', `${path}/{id}/policy`, `${path}/${named.id}/policy`, { key: stranger }],
      ['get', `${path}/{id}/events`, `${path}/${payment.id}/events?limit=100`],
      ['get', '/v1/events', '/v1/events?limit=100'],
      ['get', '/v1/events', '/v1/events', { key: null }],
      ['get', '/v1/chains', '/v1/chains'],
      ['get', '/healthz', '/healthz', { key: null }],
      ['get', '/readyz', '/readyz', { key: null }],
      ['get', '/metrics', '/metrics', { key: null }],
      ['get', '/openapi.json', '/openapi.json', { key: null }],
      ['get', '/pay/{id}/{token}', new URL(payment.checkoutUrl).pathname, { key: null }],
      ['get', '/pay/{id}/{token}', '/pay/x/y', { key: null }],
    ]
    for (const [method, route, url, asking] of asked) {
      expect(fits(await world.ask(url, asking), method, route)).toBeNull()
    }
  })

  it('is checked strictly: missing and extra fields are found', async () => {
    const { id } = await world.create()
    const route = '/v1/payment-intents/{id}'
    const answer = await world.ask(`/v1/payment-intents/${id}`)
    const { sequence, ...less } = answer.json
    expect(sequence).toBe(1)
    expect(fits({ ...answer, json: less }, 'get', route)).toContain('sequence')
    const more = { ...answer.json, accept: [{ ...answer.json.accept[0], owner: 'x' }] }
    expect(fits({ ...answer, json: more }, 'get', route)).toContain('owner')
    expect(fits({ ...answer, status: 418 }, 'get', route)).toContain('does not declare 418')
  })

  it('has example requests that the server accepts unchanged', async () => {
    const path = '/v1/payment-intents'
    const late = await world.create({ expiresIn: 60 })
    await world.pay(late, 148_000_000n)
    await world.engine.mine([], { blocks: 3 })
    for (const [name, url, status] of [
      ['CreatePaymentIntent', path, 201],
      ['ClaimTransaction', `${path}/${late.id}/claims`, 202],
      ['ResolvePaymentIntent', `${path}/${late.id}/resolve`, 200],
    ] as const) {
      const { examples } = contract.components.schemas[name] as { examples: object[] }
      expect(examples).not.toEqual([])
      for (const body of examples) expect((await world.ask(url, { body })).status).toBe(status)
    }
  })
})
