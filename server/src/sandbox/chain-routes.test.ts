import { Failure } from '@settlewire/core/errors'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HttpWorld } from '../../../test/support/http-world.ts'
import { systemClock } from '../clock.ts'
import { chainRoutes } from './chain-routes.ts'
import { SandboxProviders } from './providers.ts'

/** Records its calls. Another test checks the real levers on the real chain. */
class NotingLevers {
  asked: unknown[] = []
  failure: Failure | null = null

  mine = (blocks: number) => this.#note(['mine', blocks])
  reorg = (depth: number, keep: boolean) => this.#note(['reorg', depth, keep])

  async #note(what: unknown) {
    if (this.failure !== null) throw this.failure
    this.asked.push(what)
    return { head: 7, hash: '0xabc' }
  }
}

const levers = new NotingLevers()
let providers: SandboxProviders
let world: HttpWorld

beforeAll(async () => {
  providers = await SandboxProviders.start('ws://127.0.0.1:1', systemClock)
  world = await HttpWorld.start({ plugins: [chainRoutes(levers, providers)] })
})

afterAll(async () => {
  await world.close()
  await providers.close()
})

beforeEach(() => {
  levers.asked = []
  levers.failure = null
})

const mine = '/v1/test/chain/mine'
const reorg = '/v1/test/chain/reorg'
const list = '/v1/test/providers'

describe('the chain’s levers over HTTP', () => {
  it('mine and reorg, and answer with the head', async () => {
    const mined = await world.ask(mine, { body: { blocks: 40 } })
    expect([mined.status, mined.json]).toEqual([200, { head: 7, hash: '0xabc' }])
    await world.ask(reorg, { body: { depth: 3 } })
    await world.ask(reorg, { body: { depth: 1, keep: true } })
    expect(levers.asked).toEqual([
      ['mine', 40],
      ['reorg', 3, false],
      ['reorg', 1, true],
    ])
  })

  it.each([
    [mine, { blocks: 0 }],
    [mine, { blocks: 1_001 }],
    [mine, { blocks: 1.5 }],
    [mine, {}],
    [reorg, { depth: 257 }],
    [reorg, { depth: 1, keep: 'yes' }],
    [reorg, { depth: 1, blocks: 1 }],
    [list, { name: 'anvil-a' }],
    [list, { name: 'anvil-a', mode: 'slow' }],
    [list, { name: 'anvil-a', mode: 'lag', lagMs: 60_001 }],
    [list, { name: 'anvil-a', mode: 'outage', lagMs: 5 }],
    [list, { name: 'anvil-a', mode: 'ok', afterBytes: 5 }],
  ])('refuse %s %j without any effect', async (path, body) => {
    const { status, json } = await world.ask(path, { body })
    expect([status, json.code]).toEqual([400, 'invalid_request'])
    expect(levers.asked).toEqual([])
    expect(providers.list().map(({ mode }) => mode)).toEqual(['ok', 'ok'])
  })

  it('need a test key with the scope to write', async () => {
    const ask = async (key: string | null) => {
      const { status, json } = await world.ask(mine, { body: { blocks: 1 }, key })
      return [status, json.code]
    }
    const { clientSecret } = await world.create()
    expect(await ask(null)).toEqual([401, 'unauthenticated'])
    expect(await ask(clientSecret)).toEqual([403, 'forbidden'])
    const publishable = await world.addKey({ kind: 'publishable' })
    expect(await ask(publishable)).toEqual([403, 'scope_missing'])
    expect(await ask(await world.addKey({ livemode: true }))).toEqual([404, 'sandbox_only'])
    expect(levers.asked).toEqual([])
  })

  it('run once per Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'lever-1' }
    const first = await world.ask(mine, { body: { blocks: 2 }, headers })
    const again = await world.ask(mine, { body: { blocks: 2 }, headers })
    expect(again.json).toEqual(first.json)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(levers.asked).toHaveLength(1)
    const other = await world.ask(mine, { body: { blocks: 3 }, headers })
    expect([other.status, other.json.code]).toEqual([422, 'idempotency_key_reused'])
  })

  it('answer chain_unavailable when the chain does not answer', async () => {
    levers.failure = new Failure('chain_unavailable')
    const { status, json } = await world.ask(mine, { body: { blocks: 1 } })
    expect([status, json.code]).toEqual([503, 'chain_unavailable'])
  })

  it('set the fault of one provider, and list faults without URLs', async () => {
    const set = await world.ask(list, { body: { name: 'anvil-b', mode: 'lag', lagMs: 800 } })
    const lagging = { name: 'anvil-b', mode: 'lag', lagMs: 800, connections: 0 }
    expect([set.status, set.json]).toEqual([200, lagging])
    const fine = { name: 'anvil-a', mode: 'ok', connections: 0 }
    expect((await world.ask(list)).json).toEqual({ data: [fine, lagging] })
    await world.ask(list, { body: { name: 'anvil-b', mode: 'lag' } })
    expect(providers.list()[1]).toMatchObject({ mode: 'lag', lagMs: 2_000 })
    await world.ask(list, { body: { name: 'anvil-b', mode: 'drop_after', afterBytes: 9 } })
    expect(providers.list()[1]).toMatchObject({ mode: 'drop_after', afterBytes: 9 })
    await world.ask(list, { body: { name: 'anvil-b', mode: 'ok' } })
    const unknown = await world.ask(list, { body: { name: 'infura', mode: 'ok' } })
    expect([unknown.status, unknown.json.code]).toEqual([404, 'not_found'])
    expect(unknown.json.detail).toContain('anvil-a, anvil-b')
  })

  it('are in the published contract', async () => {
    const { json } = await world.ask('/openapi.json')
    for (const path of [mine, reorg, list]) {
      expect(json.paths[path].post.tags).toEqual(['Sandbox'])
      expect(Object.keys(json.paths[path].post.responses)).toContain('409')
    }
    expect(json.paths[list].get.summary).toBe('List the providers of the local chain')
  })
})

describe('the providers of a sandbox chain', () => {
  it('behind TLS are a single one, which cannot have a fault', async () => {
    const url = 'wss://node.example/key'
    const direct = await SandboxProviders.start(url, systemClock)
    expect(direct.list()).toEqual([{ name: 'anvil', url, connections: 0, mode: 'ok' }])
    expect(() => direct.set('anvil', { mode: 'outage' })).toThrow('can have a fault: none')
  })

  it("have the path and query of the chain's URL", async () => {
    const pathed = await SandboxProviders.start('ws://127.0.0.1:1/ws?x=1', systemClock)
    for (const { url } of pathed.list()) expect(url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/ws\?x=1$/)
    await pathed.close()
  })
})
