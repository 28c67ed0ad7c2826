import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant } from '../../../../test/support/engine-world.ts'
import type { ModelTransaction } from '../../../../test/support/model-chain.ts'
import { silentLog } from '../../log.ts'
import type { Log } from '../../ports/log.ts'
import { knownMax, partsMax } from './noise.ts'

const full = 150_000_000n
const bridged = `0x${'c1'.repeat(20)}`
const warned: string[] = []
const log: Log = {
  ...silentLog,
  warn: (_, message) => {
    warned.push(message)
  },
}

let world: EngineWorld
beforeEach(async () => {
  warned.length = 0
  world = await EngineWorld.start({ log })
})
afterEach(() => world.close())

const sprinkled = (to: string, count: number, from = 0): ModelTransaction[] =>
  Array.from({ length: count }, (_, i) => ({
    txHash: `0xd${from + i}`,
    pays: [{ to, amount: 1n, token: bridged }],
  }))
const payment = (id: string) => world.engine.payments.get(merchant, id)

describe('a payment whose address gets many dust transfers', () => {
  it('keeps the first transactions, logs once that it drops more, and counts the money', async () => {
    const { id, address } = await world.open()
    await world.mine(sprinkled(address, 500))
    await world.mine(sprinkled(address, 500, 500))
    const known = (await payment(id)).facts.transactions.length
    expect(known).toBe(knownMax)
    expect(warned.filter((message) => message.includes('no longer recorded'))).toHaveLength(1)
    await world.mine([{ txHash: '0x1', pays: [{ to: address, amount: full }] }], { blocks: 3 })
    expect(await payment(id)).toMatchObject({ status: 'succeeded', received: full })
  })

  it('still records reorgs of the transactions that it keeps', async () => {
    const { id, address } = await world.open()
    await world.mine(sprinkled(address, knownMax))
    world.local.fork(1)
    await world.mine([], { blocks: 2 })
    await world.mine(sprinkled(address, knownMax))
    const { transactions } = (await payment(id)).facts
    expect(transactions).toHaveLength(knownMax)
    expect(transactions.every(({ inclusions }) => Object.keys(inclusions).length === 2)).toBe(true)
  })

  it('beyond the limit keeps only transfers of a thousandth of the amount or more', async () => {
    const { id, address } = await world.open()
    await world.mine(sprinkled(address, knownMax))
    const parts = [full / 1_000n, full / 1_000n - 1n]
    await world.mine(
      parts.map((amount, i) => ({ txHash: `0x${i}`, pays: [{ to: address, amount }] })),
    )
    expect((await payment(id)).received).toBe(full / 1_000n)
  })

  it('keeps a few of the dust transfers in one transaction, and all of the money', async () => {
    const { id, address } = await world.open()
    const dust = Array.from({ length: 2_000 }, () => ({ to: address, amount: 1n }))
    const half = { to: address, amount: full / 2n }
    const pays = [...dust, half, ...dust, half]
    await world.mine([{ txHash: '0x1', pays }], { blocks: 3 })
    const { status, received, flags, facts } = await payment(id)
    expect(status).toBe('succeeded')
    expect(received).toBe(full + BigInt(partsMax))
    expect(flags).toContain('multiple_transfers')
    const kept = facts.transactions.flatMap(({ inclusions }) => Object.values(inclusions))
    expect(kept.map(({ transfers }) => transfers.length)).toEqual([partsMax + 2])
  })

  it('beyond the limit takes no pending transactions, and counts money by its block', async () => {
    const { id, address } = await world.open()
    await world.mine(sprinkled(address, knownMax))
    const money: ModelTransaction = { txHash: '0x1', pays: [{ to: address, amount: full }] }
    world.local.broadcast(world.engine.watcher, money)
    await world.settled()
    expect((await payment(id)).facts.transactions).toHaveLength(knownMax)
    expect(world.engine.watcher.watchSet('local').tracks('0x1')).toBe(false)
    await world.mine([money], { blocks: 3 })
    expect(await world.status(id)).toBe('succeeded')
  })
})

/** What deadlines and the sweep of old answers ask of the store, at moments of their own. */
const ofTime: ReadonlySet<string> = new Set(['due', 'nextDue', 'release', 'forgetAnswers'])

describe('a large step', () => {
  it('stores five hundred payments of one block in four appends of at most 128 payments', async () => {
    const opened = await Promise.all(Array.from({ length: 500 }, () => world.open()))
    const calls: string[] = []
    world.around = (method, call) => {
      if (!ofTime.has(method)) calls.push(method)
      return call()
    }
    const pays = opened.map(({ address }, i) => ({
      txHash: `0x${i}`,
      pays: [{ to: address, amount: full }],
    }))
    await world.mine(pays)
    expect(calls).toEqual(['feeds', ...Array.from({ length: 4 }, () => 'append')])
    const payments = await world.store.load(
      paymentKind,
      opened.map(({ id }) => id),
    )
    expect(payments.every(({ status }) => status === 'confirming')).toBe(true)
  })

  it('stores a thousand transfers to one payment in one append and one event', async () => {
    const { id, address } = await world.open()
    const calls: string[] = []
    world.around = (method, call) => {
      if (!ofTime.has(method)) calls.push(method)
      return call()
    }
    await world.mine(
      Array.from({ length: 1_000 }, (_, i) => ({
        txHash: `0x${i}`,
        pays: [{ to: address, amount: full / 1_000n }],
      })),
    )
    expect(calls).toEqual(['feeds', 'append'])
    const { received, sequence, status } = await payment(id)
    expect([received, sequence, status]).toEqual([full, 2, 'confirming'])
  })
})
