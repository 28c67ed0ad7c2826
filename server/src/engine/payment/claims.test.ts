import { Failure } from '@settlewire/core/errors'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant, stranger } from '../../../../test/support/engine-world.ts'
import type { ModelTransaction } from '../../../../test/support/model-chain.ts'

const full = 150_000_000n
let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.start()
})
afterEach(() => world.close())

/** A transaction hash. */
const hash = (n: number): string => `0x${n.toString(16).padStart(64, '0')}`

const pay = (to: string, txHash = hash(0x1)): ModelTransaction => ({
  ...{ txHash, pays: [{ to, amount: full }] },
})
const payment = (id: string) => world.engine.payments.get(merchant, id)
const claim = async (paymentId: string, txHash: string, chain?: string) =>
  (await world.engine.payments.claim(merchant, { paymentId, txHash, chain }, null)).value
const stages = async (id: string) =>
  (await payment(id)).facts.transactions.map(
    ({ chain, txHash, claimed, droppedView, mempool }) => ({
      ...{ chain, txHash, claimed: claimed === true, seen: mempool?.known === true },
      dropped: (droppedView ?? null) !== null,
    }),
  )

describe('a claim: a transaction hash that the payer reports', () => {
  it('counts nothing until a repeated lookup finds the transaction', async () => {
    const { id, address } = await world.open()
    expect(await claim(id, hash(0xab).replace('ab', 'AB'))).toEqual({
      ...{ txHash: hash(0xab), chain: null, known: 'not_found', pays: null },
    })
    expect(await world.history(id)).toEqual(['created:awaiting', 'updated:awaiting'])
    expect(await payment(id)).toMatchObject({ pending: 0n, received: 0n, flags: [] })
    world.local.mempool.set(hash(0xab), pay(address, hash(0xab)))
    await world.pass(6_000)
    expect(
      await world.eventually(async () => (await world.status(id)) === 'pending_detected'),
    ).toBe(true)
  })

  it('counts at once when a node shows the transaction as pending', async () => {
    const { id, address } = await world.open()
    world.local.mempool.set(hash(0x1), pay(address))
    expect(await claim(id, hash(0x1))).toEqual({
      ...{ txHash: hash(0x1), chain: 'local', known: 'pending', pays: true },
    })
    expect(await world.status(id)).toBe('pending_detected')
    expect(await claim(id, hash(0x1))).toMatchObject({ known: 'pending', pays: true })
    expect(await world.history(id)).toHaveLength(3)
  })

  it('counts for the payment that is paid, not for the one it was claimed for', async () => {
    const { id } = await world.open()
    const other = await world.open()
    world.local.mempool.set(hash(0x1), pay(other.address))
    expect(await claim(id, hash(0x1))).toMatchObject({ known: 'pending', pays: false })
    expect([await world.status(id), await world.status(other.id)]).toEqual([
      ...['awaiting', 'pending_detected'],
    ])
  })

  it('answers by the recorded block when the transaction was mined before', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address), { txHash: hash(0x2), pays: [] }])
    expect(await claim(id, hash(0x1))).toMatchObject({ chain: 'local', known: 'mined', pays: true })
    expect(await claim(id, hash(0x2))).toMatchObject({
      chain: 'local',
      known: 'mined',
      pays: false,
    })
    expect((await stages(id)).map(({ txHash }) => txHash)).toEqual([hash(0x1)])
  })

  it('waits for the block to be read when the transaction is mined in a later one', async () => {
    const { id, address } = await world.open()
    world.local.mine([pay(address), { txHash: hash(0x2), pays: [] }])
    expect(await claim(id, hash(0x2))).toMatchObject({ known: 'mined', pays: null })
    expect(await claim(id, hash(0x1))).toMatchObject({ known: 'mined', pays: null })
    await world.follow()
    expect(await claim(id, hash(0x2))).toMatchObject({ known: 'mined', pays: false })
    expect(await world.status(id)).toBe('confirming')
  })

  it('is looked up on every accepted chain, and dropped on the others once one has it', async () => {
    const { id, address } = await world.open({ accept: ['USDC.local', 'USDC.other'] })
    expect(await claim(id, hash(0x1))).toMatchObject({ known: 'not_found' })
    world.other.mempool.set(hash(0x1), pay(address))
    await world.pass(6_000)
    expect(
      await world.eventually(async () => (await stages(id)).some(({ dropped }) => dropped)),
    ).toBe(true)
    expect(await stages(id)).toEqual([
      { chain: 'local', txHash: hash(0x1), claimed: true, seen: false, dropped: true },
      { chain: 'other', txHash: hash(0x1), claimed: false, seen: true, dropped: false },
    ])
    expect(await world.status(id)).toBe('pending_detected')
  })

  it('is refused when five others are open, until one of those is settled', async () => {
    const { id, address } = await world.open()
    for (const n of [1, 2, 3, 4, 5]) await claim(id, hash(n))
    await expect(claim(id, hash(0x6))).rejects.toMatchObject({ code: 'too_many_claims' })
    expect(await claim(id, hash(0x5))).toMatchObject({ known: 'not_found' })
    await world.mine([pay(address, hash(0x3))])
    expect(await claim(id, hash(0x6))).toMatchObject({ known: 'not_found' })
    expect(await world.status(id)).toBe('confirming')
  })

  it('is looked up again after a restart, and dropped when its time is over', async () => {
    const { id } = await world.open()
    await claim(id, hash(0x1))
    await world.crash()
    let asked = 0
    world.lookUp = (chain) => {
      if (chain === 'local') asked += 1
      return Promise.resolve({ kind: 'not_found' })
    }
    await world.pass(6_000)
    expect(await world.eventually(() => asked > 0)).toBe(true)
    expect(await stages(id)).toMatchObject([{ claimed: true, dropped: false }])
    await world.pass(4 * 3_600_000)
    expect(await world.eventually(async () => (await stages(id))[0]?.dropped === true)).toBe(true)
  })

  it('is looked up at growing intervals', async () => {
    const { id } = await world.open()
    await claim(id, hash(0x1))
    let asked = 0
    world.lookUp = () => {
      asked += 1
      return Promise.resolve({ kind: 'unsure' })
    }
    for (let i = 0; i < 120; i++) {
      await world.clock.advance(5_000)
      await world.settled()
    }
    expect(asked).toBeGreaterThan(8)
    expect(asked).toBeLessThan(20)
  })

  it('is refused for a chain that is not accepted, and for a payment of another merchant', async () => {
    const { id } = await world.open()
    await expect(claim(id, hash(0x1), 'other')).rejects.toMatchObject({ code: 'invalid_request' })
    const foreign = world.engine.payments.claim(
      stranger,
      { paymentId: id, txHash: hash(0x1) },
      null,
    )
    await expect(foreign).rejects.toMatchObject({ code: 'not_found' })
    const bearer = world.engine.payments.claim(null, { paymentId: id, txHash: hash(0x1) }, null)
    expect((await bearer).value).toMatchObject({ known: 'not_found' })
  })
})

describe('the watch for a claimed transaction', () => {
  const tracks = (txHash: string) => world.engine.watcher.watchSet('local').tracks(txHash)

  it('ends when the transaction was mined long ago and paid this payment nothing', async () => {
    const { id } = await world.open()
    await world.mine([{ txHash: hash(0x2), pays: [] }])
    expect(await claim(id, hash(0x2))).toMatchObject({ known: 'mined', pays: false })
    expect(tracks(hash(0x2))).toBe(false)
  })

  it('ends when the claim is refused, and continues for the claims that were accepted', async () => {
    const { id } = await world.open()
    // All six are looked up before the first is recorded.
    const all = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((n) => claim(id, hash(n))))
    expect(all.map(({ status }) => status).sort()).toEqual([
      ...['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
    ])
    const refused = all.findIndex(({ status }) => status === 'rejected') + 1
    for (const n of [1, 2, 3, 4, 5, 6]) expect(tracks(hash(n))).toBe(n !== refused)
  })

  it('ends when the store fails', async () => {
    const { id } = await world.open()
    world.around = (method, call) =>
      method === 'append' ? Promise.reject(new Failure('store_unavailable')) : call()
    await expect(claim(id, hash(0x1))).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(tracks(hash(0x1))).toBe(false)
  })
})

it('looks up a thousand open claims in turn, none left out and at most 20 a round', async () => {
  const asked = new Map<string, number>()
  const rounds: number[] = []
  const hashes = Array.from({ length: 1_000 }, (_, n) => hash(n))
  const opened = await Promise.all(Array.from({ length: 200 }, () => world.open()))
  await Promise.all(hashes.map((hash, n) => claim(opened[n % 200]?.id ?? '', hash)))
  world.lookUp = (_, txHash) => {
    asked.set(txHash, (asked.get(txHash) ?? 0) + 1)
    return Promise.resolve({ kind: 'unsure' })
  }
  const sum = () => [...asked.values()].reduce((total, count) => total + count, 0)
  for (let round = 0; round < 150; round++) {
    const before = sum()
    await world.clock.advance(5_000)
    await world.settled()
    rounds.push(sum() - before)
  }
  // Twenty per round: all thousand take fifty rounds, so each is looked up three times in 150
  // rounds.
  expect(Math.max(...rounds)).toBe(20)
  const counts = hashes.map((hash) => asked.get(hash) ?? 0)
  expect([Math.min(...counts), Math.max(...counts)]).toEqual([3, 3])
})
