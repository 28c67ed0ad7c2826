import { beforeEach, describe, expect, it } from 'vitest'
import { leaseContract } from '../../../../test/support/lease-contract.ts'
import { LeaseLine, LeaseTable } from '../../../../test/support/lease-table.ts'
import { ManualClock } from '../../../../test/support/manual-clock.ts'
import { silentLog } from '../../log.ts'
import { LeaseKeeper } from './lease-keeper.ts'

const names = ['chain:local', 'deadlines']

let clock: ManualClock
let table: LeaseTable
beforeEach(() => {
  clock = new ManualClock()
  table = new LeaseTable(clock)
})

leaseContract('the table of these tests', () => ({
  leases: new LeaseLine(table, clock),
  pass: (ms) => clock.advance(ms),
}))

/** A process, what it holds by its own account, and what happened to it in order. */
function join(place: string) {
  const leases = new LeaseLine(table, clock)
  const held = new Map<string, number>()
  const told: string[] = []
  const keeper = new LeaseKeeper({
    ...{ leases, clock, log: silentLog, place, names },
    won: ({ lease, token }) => {
      held.set(lease, token)
      told.push(`won ${lease} ${token}`)
    },
    lost: (lease) => {
      held.delete(lease)
      told.push(`lost ${lease}`)
    },
  })
  return { leases, keeper, held, told }
}

describe('a process that keeps leases', () => {
  it('holds all that is free from its start on, and prolongs it under the same token', async () => {
    const one = join('a')
    await one.keeper.start()
    expect(one.told).toEqual(['won chain:local 1', 'won deadlines 1'])
    await clock.advance(60_000)
    expect(one.told).toHaveLength(2)
    expect(table.holderOf('deadlines')).not.toBeNull()
  })

  it('takes nothing that another holds, and all of it six seconds after the other has died', async () => {
    const [one, two] = [join('a'), join('b')]
    await one.keeper.start()
    await two.keeper.start()
    await clock.advance(30_000)
    expect(two.told).toEqual([])
    await one.keeper.close()
    await clock.advance(4_000)
    expect(two.told).toEqual([])
    await clock.advance(2_100)
    expect(two.told).toEqual(['won chain:local 2', 'won deadlines 2'])
  })

  it('takes at once what was given back, and what an earlier process at its place held', async () => {
    const [one, two] = [join('a'), join('b')]
    await one.keeper.start()
    await two.keeper.start()
    await one.keeper.close()
    await one.keeper.giveBack()
    await clock.advance(1_000)
    expect(two.told).toEqual(['won chain:local 2', 'won deadlines 2'])
    await two.keeper.close()
    const next = join('b')
    await next.keeper.start()
    expect(next.told).toEqual(['won chain:local 3', 'won deadlines 3'])
  })
})

describe('a process whose way to the table fails', () => {
  it.each(['cut', 'loses answers'] as const)(
    'is not told of a loss as long as nobody else can have its leases: the way is %s',
    async (way) => {
      const one = join('a')
      await one.keeper.start()
      one.leases.way = way
      await clock.advance(4_900)
      expect(one.held.size).toBe(2)
      one.leases.way = 'open'
      await clock.advance(10_000)
      expect(one.told).toEqual(['won chain:local 1', 'won deadlines 1'])
    },
  )

  it('counts them as lost from then on, and has them again when nobody took them', async () => {
    const one = join('a')
    await one.keeper.start()
    one.leases.way = 'cut'
    await clock.advance(6_500)
    expect([...one.held]).toEqual([])
    one.leases.way = 'open'
    await clock.advance(1_000)
    expect(Object.fromEntries(one.held)).toEqual({ 'chain:local': 1, deadlines: 1 })
  })

  it('is told of the loss within a second of the moment another has won', async () => {
    const [one, two] = [join('a'), join('b')]
    await one.keeper.start()
    await two.keeper.start()
    one.leases.way = 'cut'
    for (let ms = 0; ms < 10_000; ms += 100) {
      await clock.advance(100)
      if (two.held.size > 0) break
    }
    expect(two.held.size).toBe(2)
    await clock.advance(1_100)
    expect(one.held.size).toBe(0)
    one.leases.way = 'open'
    await clock.advance(30_000)
    expect([one.held.size, two.held.size]).toEqual([0, 2])
  })

  it('stands by when it wakes up after another has taken its leases', async () => {
    const [one, two] = [join('a'), join('b')]
    await one.keeper.start()
    await two.keeper.start()
    // A frozen process: its question was sent, and arrives when it goes on.
    one.leases.way = 'hangs'
    await clock.advance(20_000)
    expect(Object.fromEntries(two.held)).toEqual({ 'chain:local': 2, deadlines: 2 })
    one.leases.release()
    await clock.advance(100)
    expect(one.told.slice(2)).toEqual(['lost chain:local', 'lost deadlines'])
  })

  it('looks at once when a write was refused, and asks no second time while it is asking', async () => {
    const [one, two] = [join('a'), join('b')]
    await one.keeper.start()
    await one.keeper.close()
    await clock.advance(5_100)
    await two.keeper.start()
    one.leases.delayMs = 300
    const looks = [one.keeper.look(), one.keeper.look(), one.keeper.look()]
    await clock.advance(300)
    await Promise.all(looks)
    expect(one.told.slice(2)).toEqual(['lost chain:local', 'lost deadlines'])
  })

  it('keeps its leases over answers that take long', async () => {
    const [one, two] = [join('a'), join('b')]
    one.leases.delayMs = 2_500
    const started = one.keeper.start()
    await clock.advance(2_500)
    await started
    await two.keeper.start()
    await clock.advance(60_000)
    expect(two.told).toEqual([])
    expect(one.told).toEqual(['won chain:local 1', 'won deadlines 1'])
  })
})
