import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant } from '../../../../test/support/engine-world.ts'
import { sightOf } from './sight.ts'

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.start()
})
afterEach(() => world.close())

const payment = (id: string) => world.engine.payments.get(merchant, id)
const healthOf = (chain: string) =>
  ({ chain, visibility: 'ok', reason: null, head: null, headAt: null }) as const

describe('the sight of chains', () => {
  it('is blind until the first report, and for a payment it is that of its worst chain', async () => {
    const { id } = await world.open({ accept: ['USDC.local', 'USDC.other'] })
    const opened = await payment(id)
    world.seesAtStart = false
    await world.restart()
    const { watcher } = world.engine
    expect(watcher.visibility(opened)).toBe('blind')
    const ok = { visibility: 'ok', head: null, headAt: null, reason: null } as const
    watcher.health({ chain: 'local', ...ok })
    watcher.health({ chain: 'other', ...ok, visibility: 'degraded', reason: 'lagging' })
    expect(watcher.visibility(opened)).toBe('degraded')
    await world.mine()
    world.clock.jump(5_000)
    expect(watcher.chains()).toEqual([
      // The header time is in the future, so the age counts from when the block was stored.
      {
        ...{ chain: 'local', ...ok, head: 1, headAt: world.local.tip.minedAt },
        scannedThrough: world.clock.now() - 5_000,
      },
      {
        ...{ chain: 'other', visibility: 'degraded', reason: 'lagging', head: 0 },
        headAt: world.other.genesis.minedAt,
        scannedThrough: world.other.genesis.minedAt,
      },
    ])
  })

  it('is not improved by a header time in the future, nor does that expire a payment', async () => {
    const { id } = await world.open({ expiresIn: 600 })
    const { watcher } = world.engine
    const lagOfLocal = (): number | null => {
      const now = world.clock.now()
      return sightOf(watcher.chains(), ['local'], now).chains[0]?.lagMs ?? null
    }
    world.local.mineAt(world.clock.now() + 3_600_000)
    await world.follow()
    expect(lagOfLocal()).toBe(0)
    await world.clock.advance(700_000)
    expect(lagOfLocal()).toBe(700_000)
    await world.settled()
    expect(await world.status(id)).toBe('awaiting')
    world.local.mineAt(world.clock.now() + 3_600_000)
    await world.follow()
    expect(await world.eventually(async () => (await world.status(id)) === 'expired')).toBe(true)
  })

  it('after a restart has the age of the last stored block, at least since the start', async () => {
    world.local.mineAt(world.clock.now() + 3_600_000)
    await world.follow()
    await world.restart()
    world.clock.jump(40_000)
    const { chains } = sightOf(world.engine.watcher.chains(), ['local'], world.clock.now())
    expect(chains).toEqual([{ chain: 'local', visibility: 'ok', head: 1, lagMs: 40_000 }])
  })

  it('is degraded as finality_stalled exactly when the pace reports a stall', async () => {
    world.local.finalizedDepth = 8
    await world.mine([], { blocks: 40 })
    const { watcher } = world.engine
    const local = () => watcher.chains().find(({ chain }) => chain === 'local')
    expect(local()).toMatchObject({ visibility: 'ok', reason: null })
    for (let hour = 0; hour < 3 && !watcher.paceOf('local').stalled; hour++) {
      world.local.finalizedDepth = world.local.tip.number - 31
      world.local.mineAt(world.local.tip.minedAt + 3_600_000)
      await world.follow()
    }
    expect(watcher.paceOf('local').stalled).toBe(true)
    expect(local()).toMatchObject({ visibility: 'degraded', reason: 'finality_stalled' })
    watcher.health({ ...healthOf('local'), visibility: 'blind', reason: 'socket_down' })
    expect(local()).toMatchObject({ visibility: 'blind', reason: 'socket_down' })
    watcher.health(healthOf('local'))
    world.local.finalizedDepth = 1
    await world.mine()
    expect(local()).toMatchObject({ visibility: 'ok', reason: null })
  })
})
