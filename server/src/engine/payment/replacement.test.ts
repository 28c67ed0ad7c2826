import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant } from '../../../../test/support/engine-world.ts'
import type { ModelTransaction } from '../../../../test/support/model-chain.ts'
import { pastOf } from '../../../../test/support/past.ts'
import { payer } from '../../../../test/support/payments.ts'

const full = 150_000_000n
let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.start()
})
afterEach(() => world.close())

/** A transaction of the payer's nonce 7, offering so much per gas. */
const offering = (txHash: string, feePerGas: bigint, to: string | null): ModelTransaction => ({
  txHash,
  pays: to === null ? [] : [{ to, amount: full }],
  contest: { key: `${payer} 7`, bid: feePerGas },
})
const broadcast = async (transaction: ModelTransaction) => {
  world.local.broadcast(world.engine.watcher, transaction)
  await world.settled()
}
const payment = (id: string) => world.engine.payments.get(merchant, id)
const told = async (id: string) =>
  (await pastOf(world.store, id)).map(({ type, data }) => ({
    ...{ type, status: data.status, txHash: data.txHash },
    ...(data.replacedTxHash && { reason: data.reason, replaced: data.replacedTxHash }),
  }))

describe('pitfall 9: a transaction that gives its place to another', () => {
  it('is sped up: the payment stays pending under the new hash', async () => {
    const { id, address } = await world.open()
    await broadcast(offering('0x1', 10n, address))
    await broadcast(offering('0x2', 20n, address))
    expect((await told(id)).slice(1)).toEqual([
      { type: 'pending', status: 'pending_detected', txHash: '0x1' },
      {
        ...{ type: 'replaced', status: 'pending_detected', txHash: '0x2' },
        ...{ reason: 'replaced_still_pays', replaced: '0x1' },
      },
    ])
    await world.mine([offering('0x2', 20n, address)], { blocks: 20 })
    expect(await payment(id)).toMatchObject({ status: 'succeeded', received: full, pending: 0n })
    await world.mine([], { blocks: 20 })
    // What lost its place for good is let go as what won is.
    const watch = world.engine.watcher.watchSet('local')
    expect([watch.tracks('0x1'), watch.tracks('0x2'), [...watch.openContests()]]).toEqual([
      ...[false, false, []],
    ])
  })

  it('is cancelled: a rival that pays nobody here is news once, and its block is awaited', async () => {
    const { id, address } = await world.open()
    await broadcast(offering('0x1', 10n, address))
    await broadcast(offering('0xc', 20n, null))
    await broadcast(offering('0xc', 20n, null))
    expect((await told(id)).at(-1)).toEqual({
      ...{ type: 'replaced', status: 'awaiting', txHash: '0xc' },
      ...{ reason: 'replaced_elsewhere', replaced: '0x1' },
    })
    expect(await told(id)).toHaveLength(3)
    await world.mine([offering('0xc', 20n, null)])
    expect(await payment(id)).toMatchObject({ status: 'awaiting', pending: 0n })
  })

  it('is mined after all, whatever the pool said of its rival', async () => {
    const { id, address } = await world.open()
    await broadcast(offering('0x1', 10n, address))
    await broadcast(offering('0xc', 20n, null))
    expect(await world.status(id)).toBe('awaiting')
    await world.mine([offering('0x1', 10n, address)], { blocks: 3 })
    expect(await payment(id)).toMatchObject({ status: 'succeeded', received: full })
  })

  it('loses its nonce to a transaction that nobody saw, and gets it back when that block goes', async () => {
    const { id, address } = await world.open()
    await broadcast(offering('0x1', 10n, address))
    const hidden = offering('0xd', 30n, null)
    await world.mine([hidden])
    expect((await told(id)).at(-1)).toMatchObject({ type: 'replaced', status: 'awaiting' })
    world.local.fork(1, false)
    await world.mine([], { blocks: 2 })
    expect(await world.status(id)).toBe('pending_detected')
    await world.mine([offering('0x1', 10n, address)], { blocks: 3 })
    expect(await payment(id)).toMatchObject({ status: 'succeeded', received: full })
  })

  it('is still known by its contest after a restart', async () => {
    const { id, address } = await world.open()
    await broadcast(offering('0x1', 10n, address))
    await world.crash()
    const watch = world.engine.watcher.watchSet('local')
    expect([...watch.openContests()]).toEqual([{ txHash: '0x1', key: `${payer} 7` }])
    expect([watch.contends(`${payer} 7`), watch.contends(`${payer} 8`)]).toEqual([true, false])
    await broadcast(offering('0xc', 20n, null))
    expect(await world.status(id)).toBe('awaiting')
    await world.crash()
    await world.mine([offering('0xc', 20n, null)])
    expect((await payment(id)).facts.transactions).toMatchObject([
      { txHash: '0x1' },
      { txHash: '0xc', inclusions: { [world.local.tip.hash]: { outcome: 'paid_elsewhere' } } },
    ])
  })

  it('pays two payments in one batch: a repeated sighting makes neither the rival of the other', async () => {
    const one = await world.open()
    const two = await world.open()
    const batch = (txHash: string, feePerGas: bigint): ModelTransaction => ({
      ...offering(txHash, feePerGas, one.address),
      pays: [one, two].map(({ address }) => ({ to: address, amount: full })),
    })
    await broadcast(batch('0x1', 10n))
    await broadcast(batch('0x1', 10n))
    await broadcast(batch('0x2', 20n))
    for (const { id } of [one, two]) {
      expect((await told(id)).map(({ type }) => type)).toEqual(['created', 'pending', 'replaced'])
      expect(await world.status(id)).toBe('pending_detected')
    }
  })

  it('learns the contest, or a promise of the sequencer, of what it knows already', async () => {
    const { id, address } = await world.open()
    const { contest: _, ...bare } = offering('0x1', 10n, address)
    await broadcast(bare)
    await broadcast(offering('0x1', 10n, address))
    await broadcast({ ...offering('0x1', 10n, address), preconfirmed: true })
    await broadcast({ ...offering('0x1', 10n, address), preconfirmed: true })
    expect((await payment(id)).facts.transactions).toMatchObject([
      { contest: { key: `${payer} 7` }, preconfirmed: true },
    ])
    expect(await told(id)).toHaveLength(4)
  })
})
