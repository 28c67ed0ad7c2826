import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { HttpWorld } from '../../../../test/support/http-world.ts'

let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.start()
})
afterAll(() => world.close())

interface Trip {
  readonly name: string
  readonly commits: boolean
}

/** The lookup of the API key, and what deadlines ask of the store at moments of their own. */
const uncounted: ReadonlySet<string> = new Set(['unnamed', 'key_by_hash', 'due', 'next_due'])

/** All SQL statements of requests that run during `work`, except `uncounted`. */
async function tripsOf(work: () => Promise<unknown>): Promise<readonly Trip[]> {
  const trips: Trip[] = []
  const sent = vi.spyOn(Client.prototype, 'query')
  await work()
  for (const [statement] of sent.mock.calls as unknown as [{ name?: string; text?: string }][]) {
    const { name = 'unnamed', text = '' } = statement
    // A statement that only reads causes no write to disk.
    const commits = !/^\s*select/i.test(text) || text.includes('settlewire_append')
    if (!uncounted.has(name)) trips.push({ name, commits })
  }
  sent.mockRestore()
  return trips
}

describe('POST /v1/payment-intents', () => {
  const create = (key: string | null) =>
    world.ask('/v1/payment-intents', {
      body: { amount: '150.00', currency: 'USDC', accept: ['USDC.local'] },
      headers: key === null ? {} : { 'idempotency-key': key },
    })

  it('costs two round trips and one commit, plus the lookup of its key', async () => {
    await create('first')
    const trips = await tripsOf(() => create('second'))
    expect(trips).toEqual([
      { name: 'idempotent', commits: false },
      { name: 'append', commits: true },
    ])
    expect(await tripsOf(() => create(null))).toEqual([{ name: 'append', commits: true }])
  })

  it('costs no more in the long run, also when blocks of deposit indexes run out', async () => {
    await create('before')
    const payments = 130
    const trips = await tripsOf(async () => {
      for (let i = 0; i < payments; i++) await create(`run-${i}`)
    })
    const of = (name: string) => trips.filter((trip) => trip.name === name).length
    expect([of('idempotent'), of('append'), of('merchant')]).toEqual([payments, payments, 0])
    // Indexes are reserved in blocks of 64, the next one before the last has run out.
    expect(of('take_deposit_indexes')).toBeGreaterThanOrEqual(2)
    expect(of('take_deposit_indexes')).toBeLessThanOrEqual(3)
    expect(trips.length).toBe(2 * payments + of('take_deposit_indexes'))
  })

  it('answers a repeated request with reads only', async () => {
    await create('again')
    const trips = await tripsOf(() => create('again'))
    expect(trips.map(({ name }) => name)).toEqual(['idempotent', 'history'])
    expect(trips.some(({ commits }) => commits)).toBe(false)
  })
})
