import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { storeUnderTest } from '../../../../test/support/store-under-test.ts'
import { MemoryBackplane } from '../../backplane/memory.ts'
import { silentLog } from '../../log.ts'
import type { Visibility } from '../../ports/chain.ts'
import type { Bulletin, Fence } from '../../ports/processes.ts'
import type { Hint } from '../../ports/topic.ts'
import { chainKey, chainTopic } from '../topic/chain-topic.ts'
import type { PublishedSight } from './published-sight.ts'
import { SightExchange } from './sight-exchange.ts'

/** A watcher reduced to the visibility of one chain. */
class Knowledge {
  visibility: Visibility = 'ok'
  readonly #listeners = new Set<(chain: string) => void>()

  published(chain: string): PublishedSight {
    const { visibility } = this
    const sight = { chain, visibility, reason: null, head: 7, headAt: 0, scannedThrough: 0 }
    const pace = { blockMs: null, lags: {}, stalled: false }
    return { sight, head: null, pace } as unknown as PublishedSight // pace is not looked at here
  }

  takePublished(_: string, said: PublishedSight | null): void {
    this.see(said?.sight.visibility ?? 'blind')
  }

  onSight(listener: (chain: string) => void) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  see(visibility: Visibility): void {
    if (visibility === this.visibility) return
    this.visibility = visibility
    for (const listener of this.#listeners) listener('local')
  }
}

let database: Awaited<ReturnType<typeof storeUnderTest>>
let backplane: MemoryBackplane
let fence: Fence
beforeEach(async () => {
  database = await storeUnderTest()
  backplane = new MemoryBackplane(silentLog)
  const held = await nodes().keep({ place: 'a', process: 'a' }, ['chain:local'], 60_000)
  fence = { lease: 'chain:local', token: held.get('chain:local') ?? 0 }
})
afterEach(async () => {
  await backplane.close()
  await database.close()
})

const nodes = () => database.open().nodes

/** A process that follows the chain or does not. `isDeaf`: it gets no hints. */
function join(follows: boolean, parts: { bulletin?: Bulletin; isDeaf?: boolean } = {}) {
  const watcher = new Knowledge()
  const { bulletin = nodes(), isDeaf = false } = parts
  const subscribe: MemoryBackplane['subscribe'] = (topic, listener) =>
    isDeaf ? () => undefined : backplane.subscribe(topic, listener)
  const exchange = new SightExchange({
    ...{ bulletin, watcher, chains: ['local'], log: silentLog },
    backplane: { announce: (hint) => backplane.announce(hint), subscribe },
    leads: () => (follows ? fence : null),
    withScores: (sight) => sight,
  })
  return { watcher, exchange }
}

describe('a change of visibility', () => {
  it('reaches the processes that do not follow the chain at once, by a hint', async () => {
    const [leader, standby] = [join(true), join(false)]
    for (const { exchange } of [leader, standby]) {
      await exchange.exchange()
      exchange.start()
    }
    for (const visibility of ['blind', 'degraded', 'ok'] as const) {
      leader.watcher.see(visibility)
      // No exchange runs here, so only the hint can bring the change.
      await vi.waitFor(() => expect(standby.watcher.visibility).toBe(visibility))
    }
    leader.exchange.close()
    standby.exchange.close()
  })

  it('is read with the next exchange if its hint was lost', async () => {
    const [leader, standby] = [join(true), join(false, { isDeaf: true })]
    leader.exchange.start()
    leader.watcher.see('blind')
    await vi.waitFor(async () => expect(await nodes().published()).toHaveLength(1))
    expect(standby.watcher.visibility).toBe('ok')
    await standby.exchange.exchange()
    expect(standby.watcher.visibility).toBe('blind')
    leader.exchange.close()
  })

  it('is announced once, and not again by exchanges without a change', async () => {
    const hints: Hint[] = []
    backplane.subscribe(chainKey('local'), (hint) => hints.push(hint))
    const { exchange, watcher } = join(true)
    for (const visibility of ['ok', 'ok', 'blind', 'blind'] as const) {
      watcher.visibility = visibility
      await exchange.exchange()
    }
    await vi.waitFor(() => expect(hints).toHaveLength(2))
    const [first, second] = hints.map(({ position }) => position)
    expect(second).toBeGreaterThan(first ?? 0)
    const [told] = await chainTopic('local', nodes()).read(first ?? 0, 1)
    expect(told?.revision).toBe(second)
    expect(await chainTopic('local', nodes()).read(second ?? 0, 1)).toEqual([])
  })

  it('is not read again on a hint of a known revision', async () => {
    const bulletin = nodes()
    const standby = join(false, { bulletin })
    await join(true).exchange.exchange()
    await standby.exchange.exchange()
    standby.exchange.start()
    const read = vi.spyOn(bulletin, 'published')
    const [told] = await nodes().published()
    const position = told?.revision ?? 0
    for (const at of [0, position - 1, position]) {
      backplane.announce({ topic: chainKey('local'), position: at })
    }
    await new Promise((resolve) => setImmediate(resolve))
    expect(read).not.toHaveBeenCalled()
    backplane.announce({ topic: chainKey('local'), position: position + 1 })
    await vi.waitFor(() => expect(read).toHaveBeenCalledTimes(1))
    standby.exchange.close()
  })
})
