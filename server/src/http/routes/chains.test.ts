import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assets } from '../../../../test/support/engine-world.ts'
import { HttpWorld } from '../../../../test/support/http-world.ts'
import type { ProviderScore } from '../../ports/chain.ts'

const score: ProviderScore = {
  ...{ name: 'alpha', visibility: 'degraded', reason: 'behind', head: 4 },
  ...{ lagBlocks: 2, lagMs: 350.5, logsAsked: 9, logsEmpty: 1 },
  ...{ disagreements: 0, reconnects: 3, firstSeen: 7 },
}

let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.start()
})
afterAll(() => world.close())

const chainNamed = async (name: string, key?: string | null) => {
  const { json } = await world.ask('/v1/chains', key === undefined ? {} : { key })
  return json.data.find((chain: { name: string }) => chain.name === name)
}

describe('GET /v1/chains', () => {
  it('shows the assets, the policy and the explorer of each chain', async () => {
    const local = await chainNamed('local')
    expect(local.assets.map(({ name }: { name: string }) => name)).toEqual([
      'USDC.local',
      'ETH.local',
    ])
    expect(local.native).toEqual({ symbol: 'ETH', currency: 'ETH', decimals: 18, accepted: true })
    expect(local.policy).toMatchObject({ version: 'test-1', settled: 3, tiers: {} })
    expect(local.policy.sentences[0]).toBe(
      'A transfer counts as paid with 3 blocks, the one that holds it included.',
    )
    expect((await chainNamed('other')).explorer).toBe('https://scan.example/tx/{hash}')
  })

  it('shows the measured block time, and before that the configured one', async () => {
    expect((await chainNamed('other')).pace).toEqual({ blockMs: 2_000, measured: false })
    await world.engine.mine([], { blocks: 20 })
    const local = await chainNamed('local')
    expect(local.pace.measured).toBe(true)
    expect(local.pace.blockMs).toBeGreaterThan(0)
    expect(local.finality).toMatchObject({ finalized: expect.any(Number), stalled: false })
    expect(local.head).toBeGreaterThanOrEqual(20)
  })

  it('shows when a chain is blind, and why', async () => {
    const { watcher } = world.engine.engine
    const blind = { visibility: 'blind', reason: 'socket_down', head: 1, headAt: null } as const
    watcher.health({ chain: 'other', ...blind })
    expect(await chainNamed('other')).toMatchObject({ visibility: 'blind', reason: 'socket_down' })
    watcher.health({ chain: 'other', ...blind, visibility: 'ok', reason: null })
  })

  it('shows providers, without URLs, only to keys that may read payments', async () => {
    const { watcher } = world.engine.engine
    const well = { visibility: 'ok', reason: null, head: 4, headAt: null } as const
    watcher.health({ chain: 'local', ...well, providers: [score] })
    expect((await chainNamed('local')).providers).toEqual([score])
    const reads = await world.addKey({ kind: 'restricted', scopes: ['payment_intents:read'] })
    expect((await chainNamed('local', reads)).providers).toEqual([score])
    const publishable = await world.addKey({ kind: 'publishable' })
    expect(await chainNamed('local', publishable)).not.toHaveProperty('providers')
    const { text } = await world.ask('/v1/chains')
    expect(text).not.toMatch(/wss?:\/\//)
  })
})

describe('an asset whose contract contradicts the configuration', () => {
  it('is listed as disabled with the reason, and not accepted by default', async () => {
    const usdc = assets[0]
    if (usdc === undefined) throw new Error('the world has assets')
    const reason = 'Its contract says 18 decimals, the registry 6.'
    world.assets.set(usdc, { kind: 'disabled', reason })
    const local = await chainNamed('local')
    expect(local.disabled).toMatchObject([{ name: 'USDC.local', reason }])
    expect(JSON.stringify(local.assets)).not.toContain('USDC.local')
    const { json } = await world.ask('/v1/payment-intents', {
      body: { amount: '1.00', currency: 'USDC' },
    })
    expect(json.accept.map(({ chain }: { chain: string }) => chain)).toEqual(['other'])
    world.assets.set(usdc, { kind: 'active' })
  })

  it('is named in the refusal when no other asset of the currency is available', async () => {
    const priced = world.assets.all.filter(({ currency }) => currency === 'USDC')
    for (const asset of priced) world.assets.set(asset, { kind: 'unchecked' })
    const { status, json } = await world.ask('/v1/payment-intents', {
      body: { amount: '1.00', currency: 'USDC' },
    })
    expect([status, json.code]).toEqual([503, 'asset_disabled'])
    expect(json.detail).toContain('The server could not check it against its chain yet.')
    for (const asset of priced) world.assets.set(asset, { kind: 'active' })
  })
})
