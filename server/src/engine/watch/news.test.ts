import { Failure } from '@settlewire/core/errors'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { EngineWorld, merchant, request } from '../../../../test/support/engine-world.ts'
import type { ModelTransaction } from '../../../../test/support/model-chain.ts'
import type { Engine } from '../engine.ts'

const full = 150_000_000n

let world: EngineWorld
let other: Engine
beforeEach(async () => {
  world = await EngineWorld.start()
  other = await world.beside()
})
afterEach(() => world.close())

const pay = (to: string, txHash = '0x1', amount = full): ModelTransaction => ({
  ...{ txHash, pays: [{ to, amount }] },
})
const openedBy = async (engine: Engine): Promise<{ id: string; address: string }> => {
  const { payment } = await engine.payments.create(merchant, request, null)
  return { id: payment.id, address: payment.terms.accept[0]?.address ?? '' }
}

it('sees money to a payment that another process opened in the very next block', async () => {
  const { id, address } = await openedBy(other)
  await world.mine([pay(address)])
  expect(await world.status(id)).toBe('confirming')
  await world.mine([], { blocks: 20 })
  expect(await world.status(id)).toBe('succeeded')
})

it('sees money to all payments that two processes open in turns', async () => {
  const opened: { id: string; address: string }[] = []
  for (let i = 0; i < 6; i++) {
    opened.push(...(await Promise.all([openedBy(world.engine), openedBy(other)])))
    await world.mine(opened.slice(-2).map(({ address }, at) => pay(address, `0x${i}${at}`)))
  }
  await world.mine([], { blocks: 20 })
  const statuses = await Promise.all(opened.map(({ id }) => world.status(id)))
  expect(statuses).toEqual(opened.map(() => 'succeeded'))
})

it('does not pass a block while the earlier openings cannot be read', async () => {
  const { id, address } = await openedBy(other)
  world.around = (method, call) =>
    method === 'feeds' ? Promise.reject(new Failure('store_unavailable')) : call()
  world.local.mine([pay(address)])
  await expect(world.follow()).rejects.toThrow(Failure)
  expect((await world.store.position('local'))?.head.view).toBe(0)
  world.around = (_, call) => call()
  await world.follow()
  expect(await world.status(id)).toBe('confirming')
})

it('ends a claim that another process took once the block with its transaction is read', async () => {
  const txHash = `0x${'fe'.repeat(32)}`
  const { id } = await openedBy(world.engine)
  await other.payments.claim(merchant, { paymentId: id, txHash }, null)
  await world.mine([{ txHash, pays: [] }])
  const { facts } = await world.engine.payments.get(merchant, id)
  const inclusions = facts.transactions.flatMap((known) => Object.values(known.inclusions))
  expect(inclusions.map(({ outcome }) => outcome)).toEqual(['paid_elsewhere'])
})

it('reads commits of other processes once, and our own not at all', async () => {
  const asked: string[] = []
  world.around = (method, call) => {
    if (method === 'feeds' || method === 'entries') asked.push(method)
    return call()
  }
  await openedBy(world.engine)
  await world.engine.news.read()
  expect(asked).toEqual(['feeds'])
  await openedBy(other)
  await world.engine.news.read()
  await world.engine.news.read()
  expect(asked).toEqual(['feeds', 'feeds', 'entries', 'feeds'])
})

it('reports which payments other processes changed, with their new state', async () => {
  const heard: string[] = []
  world.engine.news.onNews(({ subjects, payments }) => {
    for (const { subject, sequence, position } of subjects) {
      const payment = payments.find(({ id }) => id === subject.id)
      heard.push(`${payment?.status} ${sequence} ${position}`)
    }
  })
  const { id } = await openedBy(world.engine)
  await openedBy(other)
  await other.payments.cancel(merchant, { paymentId: id, reason: 'the customer left' }, null)
  await world.engine.news.read()
  expect(heard.sort()).toEqual(['awaiting 1 2', 'cancelled 2 3'])
})

it('includes in a read that starts during another read all commits before its call', async () => {
  const { reached, letGo } = world.hold('entries')
  await openedBy(other)
  const first = world.engine.news.read()
  await reached
  const { address } = await openedBy(other)
  const second = world.engine.news.read()
  letGo()
  await Promise.all([first, second])
  expect(world.engine.watcher.watchSet('local').has(address)).toBe(true)
})

it('releases a payment whose watch another process has ended', async () => {
  const { id, address } = await openedBy(other)
  await world.engine.news.read()
  const watched = () => world.engine.watcher.watchSet('local').has(address)
  await world.engine.news.release()
  expect(watched()).toBe(true)
  expect(await world.store.release([{ paymentId: id, sequence: 1 }])).toEqual([id])
  await world.engine.news.release()
  expect(watched()).toBe(false)
})
