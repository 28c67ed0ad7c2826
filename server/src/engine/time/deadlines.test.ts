import { Failure } from '@settlewire/core/errors'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant } from '../../../../test/support/engine-world.ts'
import type { ModelTransaction } from '../../../../test/support/model-chain.ts'
import { watchedIn } from '../../../../test/support/watched-in.ts'
import { systemClock } from '../../clock.ts'

const full = 150_000_000n
const halfHour = 1_800_000
const day = 86_400_000

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.start()
})
afterEach(() => world.close())

const pay = (to: string, txHash = '0x1', amount = full): ModelTransaction => ({
  ...{ txHash, pays: [{ to, amount }] },
})
const created = 'created:awaiting'

/** Advances the clock, and mines a block on these chains at the new time. */
async function pass(ms: number, chains = [world.local]): Promise<void> {
  await world.clock.advance(ms)
  for (const chain of chains) {
    chain.mineAt(world.clock.now())
    await world.follow(chain)
  }
}

/** Polls in real time, for up to ten seconds, because a real database is at work. */
async function eventually(check: () => Promise<boolean> | boolean): Promise<boolean> {
  for (let i = 0; i < 1_000; i++) {
    if (await check()) return true
    await systemClock.sleep(10)
    await world.clock.advance(1)
  }
  return false
}

const becomes = (id: string, status: string) =>
  eventually(async () => (await world.status(id)) === status)

/** Gives a wrong transition time to happen. */
async function stays(id: string, status: string): Promise<void> {
  for (let i = 0; i < 15; i++) {
    await systemClock.sleep(10)
    await world.clock.advance(500)
  }
  expect(await world.status(id)).toBe(status)
}

describe('expiry', () => {
  it('happens when time is over and the chain was read past it, and not before', async () => {
    const { id } = await world.open()
    await pass(halfHour - 10_000)
    expect(await world.history(id)).toEqual([created])
    await pass(14_000)
    expect(await becomes(id, 'expired')).toBe(true)
    expect(await world.history(id)).toEqual([created, 'expired:expired'])
  })

  it('happens in the order of the deadlines', async () => {
    const late = await world.open({ expiresIn: 600 })
    const early = await world.open({ expiresIn: 60 })
    await pass(70_000)
    expect(await becomes(early.id, 'expired')).toBe(true)
    expect(await world.status(late.id)).toBe('awaiting')
    await pass(540_000)
    expect(await becomes(late.id, 'expired')).toBe(true)
  })

  it('waits while the chain is not read, and happens when the chain is back', async () => {
    const { id } = await world.open()
    await pass(2 * halfHour, [])
    await stays(id, 'awaiting')
    await world.mine([], { blocks: 900 })
    await stays(id, 'awaiting')
    await world.mine([], { blocks: 1 })
    expect(await becomes(id, 'expired')).toBe(true)
  })

  it('waits for every chain that the payment accepts', async () => {
    const { id } = await world.open({ accept: ['USDC.local', 'USDC.other'] })
    await pass(halfHour + 10_000, [world.local])
    await stays(id, 'awaiting')
    await pass(1, [world.other])
    expect(await becomes(id, 'expired')).toBe(true)
  })

  it('does not happen when the money is in a block that was not read in time', async () => {
    const { id, address } = await world.open()
    await pass(halfHour + 60_000, [])
    // Mined in time, while we did not read the chain.
    await world.mine([pay(address)], { blocks: 1_000 })
    expect(await becomes(id, 'succeeded')).toBe(true)
    expect(await world.history(id)).not.toContain('expired:expired')
    const { flags } = await world.engine.payments.get(merchant, id)
    expect(flags).not.toContain('late')
  })

  it('is not delayed by payments that wait for another chain', async () => {
    // More than one sweep handles, and all of them due earlier.
    const accept = ['USDC.other']
    const blind = await Promise.all(Array.from({ length: 520 }, () => world.open({ accept })))
    const seen = await world.open({ expiresIn: 1_900 })
    await pass(2_000_000, [world.local])
    expect(await becomes(seen.id, 'expired')).toBe(true)
    const heads = await world.store.heads(blind.map(({ id }) => id))
    expect(new Set(heads.values())).toEqual(new Set([1]))
  })

  it('survives a restart, and happens if it came while we were down', async () => {
    const before = await world.open()
    await world.crash()
    await pass(halfHour + 10_000)
    expect(await becomes(before.id, 'expired')).toBe(true)

    const during = await world.open()
    await world.engine.close()
    await pass(halfHour + 10_000, [])
    await world.crash()
    await pass(4_000)
    expect(await becomes(during.id, 'expired')).toBe(true)
    expect(await world.history(during.id)).toEqual([created, 'expired:expired'])
  })

  it('is not triggered by a clock that jumps ahead and comes back', async () => {
    const { id, address } = await world.open()
    world.clock.jump(3 * halfHour)
    await stays(id, 'awaiting')
    world.clock.jump(-3 * halfHour)
    await world.mine([pay(address)], { blocks: 3 })
    expect(await world.history(id)).toEqual([
      created,
      'confirming:confirming',
      'succeeded:succeeded',
    ])
  })

  it('is retried when the store was unavailable', async () => {
    const { id } = await world.open()
    let refused = 0
    world.around = (method, call) => {
      if (method !== 'due' && method !== 'nextDue') return call()
      refused++
      return Promise.reject(new Failure('store_unavailable'))
    }
    await pass(halfHour + 10_000)
    await stays(id, 'awaiting')
    expect(refused).toBeGreaterThan(0)
    world.around = (_, call) => call()
    expect(await becomes(id, 'expired')).toBe(true)
  })

  it('is on time for a payment that is opened while the next deadline is being read', async () => {
    await world.open()
    let letGo = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const reached = new Promise<void>((resolve) => {
      world.around = async (method, call) => {
        const answer = await call()
        if (method !== 'nextDue') return answer
        resolve()
        await gate
        return answer
      }
    })
    await world.clock.advance(66_000)
    await reached
    const { id } = await world.open({ expiresIn: 10 })
    letGo()
    await pass(12_000)
    expect(await becomes(id, 'expired')).toBe(true)
    expect(world.clock.now() - world.local.genesis.minedAt).toBeLessThan(100_000)
  })

  it('handles hundreds of payments at once', async () => {
    const ids = await Promise.all(Array.from({ length: 700 }, async () => (await world.open()).id))
    await pass(halfHour + 10_000)
    const done = async () => {
      const payments = await world.store.load(paymentKind, ids)
      return payments.every((payment) => payment.status === 'expired')
    }
    expect(await eventually(done)).toBe(true)
    const heads = await world.store.heads(ids)
    expect(new Set(heads.values())).toEqual(new Set([2]))
  })

  it('is undone by late money, which is flagged', async () => {
    const { id, address } = await world.open()
    await pass(halfHour + 10_000)
    expect(await becomes(id, 'expired')).toBe(true)
    await world.mine([pay(address)], { blocks: 3 })
    const { status, flags } = await world.engine.payments.get(merchant, id)
    expect([status, flags]).toEqual(['succeeded', ['late']])
  })
})

describe('the end of the watch', () => {
  const isWatched = (address: string) => world.engine.watcher.watchSet('local').has(address)

  it('comes a day after the expiry, and is permanent', async () => {
    const { id, address } = await world.open()
    await pass(halfHour + 10_000)
    expect(await becomes(id, 'expired')).toBe(true)
    await pass(day - 60_000)
    expect(isWatched(address)).toBe(true)
    await pass(120_000)
    expect(await eventually(() => !isWatched(address))).toBe(true)
    await world.restart()
    expect(isWatched(address)).toBe(false)
    expect(await watchedIn(world.store)).toEqual([])
    expect(await world.store.nextDue(paymentKind.name)).toBeNull()
    expect(await world.history(id)).toEqual([created, 'expired:expired'])
  })

  it('comes to a payment that succeeded', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)], { blocks: 20 })
    await pass(halfHour + day + 10_000)
    expect(await eventually(() => !isWatched(address))).toBe(true)
    expect(await world.status(id)).toBe('succeeded')
  })

  it('waits for money that is on its way', async () => {
    const { id, address } = await world.open()
    world.local.broadcast(world.engine.watcher, pay(address))
    await world.settled()
    await pass(halfHour + day + 60_000)
    await stays(id, 'pending_detected')
    expect(isWatched(address)).toBe(true)
    await world.mine([pay(address)], { blocks: 20 })
    expect(await world.status(id)).toBe('succeeded')
    const released = async () => {
      await world.clock.advance(30_000)
      return !isWatched(address)
    }
    expect(await eventually(released)).toBe(true)
  })

  it('waits while the chain is not read', async () => {
    const { id, address } = await world.open()
    await pass(halfHour + 10_000)
    expect(await becomes(id, 'expired')).toBe(true)
    await pass(day + 60_000, [])
    await stays(id, 'expired')
    expect(isWatched(address)).toBe(true)
    await pass(1)
    expect(await eventually(() => !isWatched(address))).toBe(true)
  })
})

describe('money that is read while the watch ends', () => {
  const isWatched = (address: string) => world.engine.watcher.watchSet('local').has(address)
  /** Lets the chain pass the end of the watch, until the store is asked to release the payment. */
  async function endOf(id: string, isReached: () => boolean): Promise<void> {
    await pass(halfHour + 10_000)
    expect(await becomes(id, 'expired')).toBe(true)
    await pass(day + 60_000)
    expect(await eventually(isReached)).toBe(true)
  }
  const isOnRecord = async (id: string) =>
    (await world.engine.payments.get(merchant, id)).facts.transactions.length === 1
  /** Checks that the money is followed to finality and that the watch ends then. */
  async function isFollowed(id: string, address: string): Promise<void> {
    expect(isWatched(address)).toBe(true)
    await world.mine([], { blocks: 20 })
    expect((await world.engine.payments.get(merchant, id)).finality).toBe('final')
    const released = async () => {
      await world.clock.advance(10_000)
      await world.mine()
      return !isWatched(address) && (await watchedIn(world.store)).length === 0
    }
    expect(await eventually(released)).toBe(true)
  }

  it('is followed when it comes before the store has ended the watch', async () => {
    const { id, address } = await world.open()
    const { reached, letGo } = world.hold('release')
    let isReached = false
    void reached.then(() => {
      isReached = true
    })
    await endOf(id, () => isReached)
    await world.mine([pay(address)])
    expect(await isOnRecord(id)).toBe(true)
    letGo()
    world.around = (_, call) => call()
    await isFollowed(id, address)
  })

  it('is followed, even after a restart, when it comes after the store ended the watch', async () => {
    const { id, address } = await world.open()
    let letGo = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      letGo = resolve
    })
    let isReached = false
    world.around = async (method, call) => {
      const answer = await call()
      if (method !== 'release') return answer
      isReached = true
      await gate
      return answer
    }
    await endOf(id, () => isReached)
    expect(await watchedIn(world.store)).toEqual([])
    await world.mine([pay(address)])
    letGo()
    world.around = (_, call) => call()
    await world.restart()
    await isFollowed(id, address)
  })

  it('is followed when its step waits for the writer until the address was released', async () => {
    const { id, address } = await world.open()
    let [goOn, letGo] = [(): void => undefined, (): void => undefined]
    const releasing = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const appending = new Promise<void>((resolve) => {
      letGo = resolve
    })
    let isReached = false
    world.around = async (method, call) => {
      const answer = await call()
      if (method !== 'release') return answer
      isReached = true
      await releasing
      return answer
    }
    await endOf(id, () => isReached)
    // Another commit is running, so the step queues behind it.
    world.around = async (method, call) => {
      if (method === 'append') await appending
      return call()
    }
    const other = world.open()
    await systemClock.sleep(20)
    world.local.mine([pay(address)])
    const step = world.follow()
    await systemClock.sleep(20)
    goOn()
    expect(await eventually(() => !isWatched(address))).toBe(true)
    letGo()
    await Promise.all([other, step])
    world.around = (_, call) => call()
    expect(await isOnRecord(id)).toBe(true)
    expect(isWatched(address)).toBe(true)
  })
})

it('reads deadlines that wait for a blind chain once, however often other chains advance', async () => {
  const accept = ['USDC.other']
  const blind = await Promise.all(Array.from({ length: 300 }, () => world.open({ accept })))
  await pass(halfHour + 10_000)
  const isSettledDown = async () => {
    const before = reads
    await systemClock.sleep(50)
    await world.settled()
    return before === reads && underWay === 0
  }
  let [reads, rows, underWay] = [0, 0, 0]
  world.around = async (method, call) => {
    if (method !== 'due') return call()
    reads += 1
    underWay += 1
    const answer = await call().finally(() => {
      underWay -= 1
    })
    rows += (answer as readonly unknown[]).length
    return answer
  }
  await pass(4_000)
  expect(await eventually(isSettledDown)).toBe(true)
  ;[reads, rows] = [0, 0]
  const before = await world.store.heads(blind.map(({ id }) => id))
  for (let step = 0; step < 50; step++) await world.mine()
  expect([reads, rows]).toEqual([0, 0])
  expect(await world.store.heads(blind.map(({ id }) => id))).toEqual(before)
  // They are judged as soon as the chain is visible.
  await pass(1, [world.other])
  expect(await becomes(blind[299]?.id ?? '', 'expired')).toBe(true)
})

it('leaves no timer behind when it closes', async () => {
  await world.open()
  await world.engine.close()
  expect(world.clock.waiting).toBe(0)
})
