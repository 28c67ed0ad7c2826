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

/** A process with the leases that it believes to hold, and its calls in order. */
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
  it('takes every free lease at its start, and renews each under the same token', async () => {
    const one = join('a')
    await one.keeper.start()
    expect(one.told).toEqual(['won chain:local 1', 'won deadlines 1'])
    await clock.advance(60_000)
    expect(one.told).toHaveLength(2)
    expect(table.holderOf('deadlines')).not.toBeNull()
  })

  it('takes no lease again once it gives them back, also not by a round that is under way', async () => {
    const { keeper, leases } = join('a')
    await keeper.start()
    leases.way = 'hangs'
    const looked = keeper.look()
    const returned = keeper.giveBack()
    await clock.advance(0)
    leases.release()
    await Promise.all([looked, returned])
    expect(table.holderOf('deadlines')).toBeNull()
    await keeper.look()
    expect(table.holderOf('deadlines')).toBeNull()
  })

  it('takes no lease of another process until six seconds after that has died', async () => {
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

  it('takes returned leases, and those of an earlier process at its place, at once', async () => {
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

describe('a process that cannot reach the lease table', () => {
  it.each(['cut', 'loses answers'] as const)(
    'keeps its leases as long as no other process can take them: the connection is %s',
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

  it('then counts its leases as lost, and takes them again if no other process did', async () => {
    const one = join('a')
    await one.keeper.start()
    one.leases.way = 'cut'
    await clock.advance(6_500)
    expect([...one.held]).toEqual([])
    one.leases.way = 'open'
    await clock.advance(1_000)
    expect(Object.fromEntries(one.held)).toEqual({ 'chain:local': 1, deadlines: 1 })
  })

  it('loses its leases within a second after another process has taken them', async () => {
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

  it('stands by when it wakes up after another process has taken its leases', async () => {
    const [one, two] = [join('a'), join('b')]
    await one.keeper.start()
    await two.keeper.start()
    // A frozen process: its request was sent, and arrives when the process continues.
    one.leases.way = 'hangs'
    await clock.advance(20_000)
    expect(Object.fromEntries(two.held)).toEqual({ 'chain:local': 2, deadlines: 2 })
    one.leases.release()
    await clock.advance(100)
    expect(one.told.slice(2)).toEqual(['lost chain:local', 'lost deadlines'])
  })

  it('checks its leases at once after a refused write, with one request at a time', async () => {
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

  it('keeps its leases while answers are slow', async () => {
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
