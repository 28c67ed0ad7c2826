import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { leaseContract } from '../../../../test/support/lease-contract.ts'
import { blockAt } from '../../../../test/support/payments.ts'
import { queryAs } from '../../../../test/support/postgres.ts'
import { ScriptedPayment } from '../../../../test/support/scripted-payments.ts'
import { moveTo } from '../../../../test/support/store-batches.ts'
import { storeUnderTest } from '../../../../test/support/store-under-test.ts'
import { watchedIn } from '../../../../test/support/watched-in.ts'
import type { Store } from '../open.ts'

const one = { place: 'here', process: 'one' }
const two = { place: 'there', process: 'two' }
const leases = ['chain:local', 'deadlines']
const longMs = 60_000
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

let world: Awaited<ReturnType<typeof storeUnderTest>>
let store: Store
beforeEach(async () => {
  world = await storeUnderTest()
  store = world.open()
})
afterEach(() => world.close())

const heldBy = async (holder: typeof one, forMs = longMs) =>
  Object.fromEntries(await store.nodes.keep(holder, leases, forMs))

leaseContract('PostgreSQL', () => ({
  leases: store.nodes,
  pass: (ms) =>
    queryAs(world.url, `update lease set expires_at = expires_at - interval '${ms} milliseconds'`),
}))

describe('a lease', () => {
  it('goes to one of several processes that ask at once', async () => {
    const nodes = Array.from({ length: 6 }, () => world.open())
    const held = await Promise.all(
      nodes.map(({ nodes }, i) =>
        nodes.keep({ place: `${i}`, process: `${i}` }, ['deadlines'], longMs),
      ),
    )
    expect(held.map(({ size }) => size).sort()).toEqual([0, 0, 0, 0, 0, 1])
  })
})

describe('a write under a lease', () => {
  const old = { lease: 'chain:local', token: 1 }
  const begin = () => store.events.begin('local', 'genesis', blockAt(1))

  it('that moves a cursor is refused completely once another process has the lease', async () => {
    await begin()
    await heldBy(one)
    const payment = new ScriptedPayment()
    const batch = { appends: [payment.opening()], cursors: [moveTo(2, 0)], fences: [old] }
    await store.nodes.giveBack(one)
    await heldBy(two)
    await expect(store.events.append(batch)).rejects.toMatchObject({ code: 'lease_lost' })
    expect((await store.events.position('local'))?.head.view).toBe(0)
    expect(await store.events.load(paymentKind, [payment.id])).toEqual([])
    const fences = [{ ...old, token: 2 }]
    await store.events.append({ ...batch, fences })
    expect((await store.events.position('local'))?.head.view).toBe(1)
  })

  it('that stores events of a deadline is refused completely once another process has the lease', async () => {
    const payment = new ScriptedPayment()
    await store.events.append({ appends: [payment.opening()] })
    await heldBy(one)
    const late = { appends: [payment.step()], fences: [{ lease: 'deadlines', token: 1 }] }
    await store.nodes.giveBack(one)
    await heldBy(two)
    await expect(store.events.append(late)).rejects.toMatchObject({ code: 'lease_lost' })
    expect((await store.events.heads([payment.id])).get(payment.id)).toBe(1)
  })

  it('that ends a watch is refused completely once another process has the lease', async () => {
    const [paid, other] = [new ScriptedPayment(), new ScriptedPayment()]
    await store.events.append({ appends: [paid.opening(), other.opening()] })
    await heldBy(one)
    const over = [paid, other].map(({ id }) => ({ paymentId: id, sequence: 1 }))
    const late = [{ lease: 'deadlines', token: 1 }]
    await store.nodes.giveBack(one)
    await heldBy(two)
    await expect(store.events.release(over, late)).rejects.toMatchObject({ code: 'lease_lost' })
    expect(await watchedIn(store.events)).toHaveLength(2)
    const held = [{ lease: 'deadlines', token: 2 }]
    expect(await store.events.release(over, held)).toHaveLength(2)
    expect(await watchedIn(store.events)).toEqual([])
  })

  it('is accepted after the lease has expired if no other process took it', async () => {
    await begin()
    await heldBy(one, 1)
    await pause(20)
    await store.events.append({ appends: [], cursors: [moveTo(2, 0)], fences: [old] })
    expect((await store.events.position('local'))?.head.view).toBe(1)
  })

  it('is either visible to the next holder or refused', async () => {
    await begin()
    for (let round = 0; round < 20; round++) {
      const [mine, other] = round % 2 === 0 ? [one, two] : [two, one]
      const token = (await store.nodes.keep(mine, ['chain:local'], longMs)).get('chain:local') ?? 0
      await store.nodes.giveBack(mine)
      const view = (await store.events.position('local'))?.head.view ?? 0
      const [written, seen] = await Promise.all([
        store.events
          .append({
            ...{ appends: [], cursors: [moveTo(view + 2, view)] },
            fences: [{ lease: 'chain:local', token }],
          })
          .then(
            () => true,
            () => false,
          ),
        world
          .open()
          .nodes.keep(other, ['chain:local'], longMs)
          .then(() => store.events.position('local')),
      ])
      // What the next holder reads after it got the lease does not change any more.
      const stays = await store.events.position('local')
      expect([seen?.head.view, written]).toEqual([stays?.head.view, stays?.head.view === view + 1])
      await store.nodes.giveBack(other)
    }
  })
})

describe('a report of a follower', () => {
  it('is read by other processes, with its age, and replaced by later reports', async () => {
    await heldBy(one)
    const fence = { lease: 'chain:local', token: 1 }
    await store.nodes.publish('local', { body: 'first', word: 'ok' }, fence)
    await store.nodes.publish('local', { body: 'second', word: 'ok' }, fence)
    await pause(30)
    const [told, ...more] = await world.open().nodes.published()
    expect([told?.chain, told?.body, more]).toEqual(['local', 'second', []])
    expect(told?.ageMs).toBeGreaterThanOrEqual(30)
    expect(told?.ageMs).toBeLessThan(10_000)
  })

  it('is not replaced by a report under an older lease', async () => {
    await heldBy(one)
    await store.nodes.giveBack(one)
    await heldBy(two)
    const word = 'ok'
    await store.nodes.publish('local', { body: 'new', word }, { lease: 'chain:local', token: 2 })
    const late = { lease: 'chain:local', token: 1 }
    expect(await store.nodes.publish('local', { body: 'old', word }, late)).toBeNull()
    expect((await store.nodes.published()).map(({ body }) => body)).toEqual(['new'])
  })
})

describe('the revision of a report of a follower', () => {
  it('rises when `word` changes, and stays when only the body changes', async () => {
    await heldBy(one)
    const fence = { lease: 'chain:local', token: 1 }
    const revisions: (number | null)[] = []
    for (const word of ['ok', 'ok', 'blind', 'ok', 'ok']) {
      revisions.push(
        await store.nodes.publish('local', { body: `${revisions.length}`, word }, fence),
      )
    }
    const [first = 0, again, blind = 0, back = 0, last] = revisions.map(Number)
    expect([again, last]).toEqual([first, back])
    expect(blind).toBeGreaterThan(first)
    expect(back).toBeGreaterThan(blind)
    expect(await store.nodes.published()).toMatchObject([{ body: '4', revision: back }])
  })

  it('rises also after a crash of the database has emptied the table', async () => {
    await heldBy(one)
    const fence = { lease: 'chain:local', token: 1 }
    const before = await store.nodes.publish('local', { body: '', word: 'ok' }, fence)
    await queryAs(world.url, 'truncate chain_sight')
    await pause(2)
    const after = await store.nodes.publish('local', { body: '', word: 'ok' }, fence)
    expect(Number(after)).toBeGreaterThan(Number(before))
  })
})

describe('a question to the follower of a chain', () => {
  it('is read by followers of its chain, answered once, and then deleted', async () => {
    const { nodes } = store
    const id = await nodes.ask('local', '0xfeed')
    await nodes.ask('other', '0xbeef')
    expect(await nodes.questions(['local'])).toEqual([{ id, chain: 'local', txHash: '0xfeed' }])
    expect(await nodes.answerTo(id)).toBeNull()
    await nodes.answer(id, 'not_found')
    expect(await nodes.questions(['local'])).toEqual([])
    expect(await nodes.answerTo(id)).toBe('not_found')
    expect(await nodes.answerTo(id)).toBeNull()
  })

  it('is not returned any more after it was withdrawn', async () => {
    const id = await store.nodes.ask('local', '0xfeed')
    await store.nodes.withdraw(id)
    expect(await store.nodes.questions(['local'])).toEqual([])
  })
})
