import { beforeEach, describe, expect, it } from 'vitest'
import type { Holder, Leases } from '../../server/src/ports/processes.ts'

/** Leases under test, and a way to let time go by. */
export interface LeasesUnderTest {
  readonly leases: Leases
  pass(ms: number): Promise<unknown>
}

const one: Holder = { place: 'here', process: 'one' }
const two: Holder = { place: 'there', process: 'two' }
const names = ['chain:local', 'deadlines']
const longMs = 60_000

/** What every table of leases does, the one of PostgreSQL and the one that tests run by a clock. */
export function leaseContract(name: string, open: () => LeasesUnderTest): void {
  describe(`a lease in ${name}`, () => {
    let table: LeasesUnderTest
    beforeEach(() => {
      table = open()
    })
    const heldBy = async (holder: Holder, forMs = longMs, of = names) =>
      Object.fromEntries(await table.leases.keep(holder, of, forMs))

    it('has one holder, who prolongs it under the same token', async () => {
      expect(await heldBy(one)).toEqual({ 'chain:local': 1, deadlines: 1 })
      expect(await heldBy(two)).toEqual({})
      await table.pass(longMs / 2)
      expect(await heldBy(one)).toEqual({ 'chain:local': 1, deadlines: 1 })
      await table.pass(longMs - 5_000)
      expect(await heldBy(two)).toEqual({})
    })

    it('is taken by itself, whoever has the others', async () => {
      expect(await heldBy(one, longMs, ['deadlines'])).toEqual({ deadlines: 1 })
      expect(await heldBy(two)).toEqual({ 'chain:local': 1 })
    })

    it('goes to another under another token when it has ended', async () => {
      await heldBy(one, 1_000)
      await table.pass(1_100)
      expect(await heldBy(two)).toEqual({ 'chain:local': 2, deadlines: 2 })
      expect(await heldBy(one)).toEqual({})
    })

    it('is prolonged under the same token by the holder whose time was over', async () => {
      await heldBy(one, 1_000)
      await table.pass(1_100)
      expect(await heldBy(one)).toEqual({ 'chain:local': 1, deadlines: 1 })
    })

    it('goes to another at once when it is given back, and back again under a third token', async () => {
      await heldBy(one)
      await table.leases.giveBack(one)
      expect(await heldBy(two)).toEqual({ 'chain:local': 2, deadlines: 2 })
      await table.leases.giveBack(one)
      expect(await heldBy(one)).toEqual({})
      await table.leases.giveBack(two)
      expect(await heldBy(one)).toEqual({ 'chain:local': 3, deadlines: 3 })
    })

    it('goes at once to the process that comes after its holder at the same place', async () => {
      await heldBy(one)
      const next = { ...one, process: 'the next' }
      expect(await heldBy(next)).toEqual({ 'chain:local': 2, deadlines: 2 })
    })
  })
}
