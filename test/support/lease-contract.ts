import { beforeEach, describe, expect, it } from 'vitest'
import type { LeaseHolder, Leases } from '../../server/src/ports/processes.ts'

/** Leases under test, and a function that lets time pass. */
export interface LeasesUnderTest {
  readonly leases: Leases
  pass(ms: number): Promise<unknown>
}

const one: LeaseHolder = { place: 'here', process: 'one' }
const two: LeaseHolder = { place: 'there', process: 'two' }
const names = ['chain:local', 'deadlines']
const longMs = 60_000

/** The contract of every lease table: PostgreSQL's, and the one on a manual clock. */
export function leaseContract(name: string, open: () => LeasesUnderTest): void {
  describe(`a lease in ${name}`, () => {
    let table: LeasesUnderTest
    beforeEach(() => {
      table = open()
    })
    const heldBy = async (holder: LeaseHolder, forMs = longMs, of = names) =>
      Object.fromEntries(await table.leases.keep(holder, of, forMs))

    it('has one holder, which renews it under the same token', async () => {
      expect(await heldBy(one)).toEqual({ 'chain:local': 1, deadlines: 1 })
      expect(await heldBy(two)).toEqual({})
      await table.pass(longMs / 2)
      expect(await heldBy(one)).toEqual({ 'chain:local': 1, deadlines: 1 })
      await table.pass(longMs - 5_000)
      expect(await heldBy(two)).toEqual({})
    })

    it('is taken independently of the leases with other names', async () => {
      expect(await heldBy(one, longMs, ['deadlines'])).toEqual({ deadlines: 1 })
      expect(await heldBy(two)).toEqual({ 'chain:local': 1 })
    })

    it('goes to another process under another token after it has expired', async () => {
      await heldBy(one, 1_000)
      await table.pass(1_100)
      expect(await heldBy(two)).toEqual({ 'chain:local': 2, deadlines: 2 })
      expect(await heldBy(one)).toEqual({})
    })

    it('is renewed under the same token by its last holder after it has expired', async () => {
      await heldBy(one, 1_000)
      await table.pass(1_100)
      expect(await heldBy(one)).toEqual({ 'chain:local': 1, deadlines: 1 })
    })

    it('goes to another process at once after a release, and back under a third token', async () => {
      await heldBy(one)
      await table.leases.giveBack(one)
      expect(await heldBy(two)).toEqual({ 'chain:local': 2, deadlines: 2 })
      await table.leases.giveBack(one)
      expect(await heldBy(one)).toEqual({})
      await table.leases.giveBack(two)
      expect(await heldBy(one)).toEqual({ 'chain:local': 3, deadlines: 3 })
    })

    it('goes at once to the next process in the same data directory as its holder', async () => {
      await heldBy(one)
      const next = { ...one, process: 'the next' }
      expect(await heldBy(next)).toEqual({ 'chain:local': 2, deadlines: 2 })
    })
  })
}
