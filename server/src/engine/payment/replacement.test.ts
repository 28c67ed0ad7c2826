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

/** A transaction with nonce 7 of the payer, at this fee per gas. */
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

describe('a transaction that is replaced by another with its nonce', () => {
  it('keeps the payment pending under the new hash when the replacement still pays', async () => {
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
    // A finally replaced transaction is no longer tracked, like the one that won.
    const watch = world.engine.watcher.watchSet('local')
    expect([watch.tracks('0x1'), watch.tracks('0x2'), [...watch.openContests()]]).toEqual([
      ...[false, false, []],
    ])
  })

  it('is reported once when a rival pays us nothing, and the payment waits for a block', async () => {
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

  it('counts when it is mined after all, although the pool had shown a rival', async () => {
    const { id, address } = await world.open()
    await broadcast(offering('0x1', 10n, address))
    await broadcast(offering('0xc', 20n, null))
    expect(await world.status(id)).toBe('awaiting')
    await world.mine([offering('0x1', 10n, address)], { blocks: 3 })
    expect(await payment(id)).toMatchObject({ status: 'succeeded', received: full })
  })

  it('is replaced by an unseen one in a block, and pending again when that block is orphaned', async () => {
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

  it('keeps its contest over a restart', async () => {
    const { id, address } = await world.open()
    await broadcast(offering('0x1', 10n, address))
    await world.crash()
    const watch = world.engine.watcher.watchSet('local')
    expect([...watch.openContests()]).toEqual([{ txHash: '0x1', key: `${payer} 7` }])
    expect([watch.hasRival(`${payer} 7`), watch.hasRival(`${payer} 8`)]).toEqual([true, false])
    await broadcast(offering('0xc', 20n, null))
    expect(await world.status(id)).toBe('awaiting')
    await world.crash()
    await world.mine([offering('0xc', 20n, null)])
    expect((await payment(id)).facts.transactions).toMatchObject([
      { txHash: '0x1' },
      { txHash: '0xc', inclusions: { [world.local.tip.hash]: { outcome: 'paid_elsewhere' } } },
    ])
  })

  it('that pays two payments, when seen again, is no rival of its other payment', async () => {
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

  it('gets a contest or a preconfirmation added when a later sighting shows one', async () => {
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
