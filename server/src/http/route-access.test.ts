import { fastify } from 'fastify'
import { expect, it } from 'vitest'
import { HttpWorld } from '../../../test/support/http-world.ts'
import { refuseUnlistedRoutes, routeAccess } from './route-access.ts'

it.each([
  ['is missing from routeAccess', '/v1/secrets', { who: 'anyone' as const }],
  ['has another access than its row', '/v1/events', { who: 'anyone' as const }],
  ['has no access', '/v1/events', undefined],
])('refuses to register a /v1 route that %s', (_, url, access) => {
  const app = fastify()
  refuseUnlistedRoutes(app)
  const config = access === undefined ? {} : { access }
  expect(() => app.get(url, { config }, async () => 'x')).toThrow(`GET ${url} is missing from`)
})

it('registers a /v1 route with the access of its row, and any sandbox or non-API route', () => {
  const app = fastify()
  refuseUnlistedRoutes(app)
  const access = routeAccess['GET /v1/events']
  for (const url of ['/v1/events', '/v1/test/chain/mine', '/healthz']) {
    expect(() => app.get(url, { config: { access } }, async () => 'x')).not.toThrow()
  }
})

it('a page of another origin may read /v1/chains with a publishable key', async () => {
  const world = await HttpWorld.start()
  const key = await world.addKey({ kind: 'publishable' })
  const preflight = await world.ask('/v1/chains', { key: null, method: 'OPTIONS' })
  expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
  const { status, headers, json } = await world.ask('/v1/chains', { key })
  expect([status, headers.get('access-control-allow-origin')]).toEqual([200, '*'])
  expect(json.data[0]).not.toHaveProperty('providers')
  await world.close()
})
