import { failedWith } from '@settlewire/core/errors'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { EngineWorld, merchant, policy, request } from '../../../../test/support/engine-world.ts'
import { silentLog } from '../../log.ts'
import type { Log } from '../../ports/log.ts'

const full = 150_000_000n
const errors: [Record<string, unknown>, string][] = []
const log: Log = {
  ...silentLog,
  error: (fields, message) => void errors.push([fields as Record<string, unknown>, message]),
}
const slow = {
  version: 'slow-1',
  chains: { ...policy.chains, local: { settled: 6, final: 'finalized', quorum: 1 } },
} as const

let world: EngineWorld
/** Payments whose stored state throws when it is read. */
const odd = new Set<string>()

beforeEach(async () => {
  errors.length = 0
  odd.clear()
  const revive = paymentKind.revive
  vi.spyOn(paymentKind, 'revive').mockImplementation((stored) => {
    if (odd.has(stored.id)) throw new TypeError('a fault of this test')
    return revive(stored)
  })
  world = await EngineWorld.start({ log, policy: slow })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await world.close()
})

const pay = (to: string, txHash: string) => ({ txHash, pays: [{ to, amount: full }] })
const messages = (id: string): readonly string[] =>
  errors.flatMap(([fields, message]) => (fields.paymentId === id ? [message] : []))
const isQuarantined = 'the stored state of a payment cannot be read: it is quarantined'

it('quarantines a payment that cannot be read, but not the others of its block', async () => {
  const [bad, good] = [await world.open(), await world.open()]
  odd.add(bad.id)
  await world.restart()
  await world.mine([pay(bad.address, '0x1'), pay(good.address, '0x2')])
  expect((await world.store.position('local'))?.head.head).toBe(world.local.tip.number)
  expect(await world.status(good.id)).toBe('confirming')
  await world.mine([], { blocks: 6 })
  expect(await world.status(good.id)).toBe('succeeded')
  expect(messages(bad.id).filter((message) => message === isQuarantined)).toHaveLength(1)
})

it('logs the blocks that it could not record for an unreadable payment', async () => {
  const bad = await world.open()
  odd.add(bad.id)
  await world.restart()
  await world.mine([pay(bad.address, '0x1')])
  const { number } = world.local.tip
  expect(errors.map(([fields]) => fields)).toContainEqual({
    ...{ paymentId: bad.id, chain: 'local', from: number, to: number },
  })
})

it('starts although a payment with money on its way cannot be read', async () => {
  const [bad, good] = [await world.open(), await world.open()]
  await world.mine([pay(bad.address, '0x1'), pay(good.address, '0x2')])
  odd.add(bad.id)
  await world.restart()
  expect(messages(bad.id)).toEqual([isQuarantined])
  await world.mine([], { blocks: 6 })
  expect(await world.status(good.id)).toBe('succeeded')
  expect(await world.history(bad.id)).toEqual(['created:awaiting', 'confirming:confirming'])
  odd.clear()
  await world.restart()
  await world.mine([])
  expect(await world.status(bad.id)).toBe('succeeded')
})

it('continues with commits of other processes if one of their payments cannot be read', async () => {
  const other = await world.beside()
  const bad = await other.payments.create(merchant, request, null)
  const good = await other.payments.create(merchant, request, null)
  odd.add(bad.payment.id)
  const address = good.payment.terms.accept[0]?.address ?? ''
  await world.mine([pay(address, '0x2')])
  expect(await world.status(good.payment.id)).toBe('confirming')
  expect(messages(bad.payment.id)).toEqual([isQuarantined])
})

it('answers internal_contradiction for an unreadable payment, not not_found', async () => {
  const bad = await world.open()
  odd.add(bad.id)
  await world.restart()
  const { payments } = world.engine
  const asked = { paymentId: bad.id, reason: 'sold out' }
  const calls = [
    () => payments.get(merchant, bad.id),
    () => payments.cancel(merchant, asked, null),
    () => payments.resolve(merchant, { ...asked, action: 'wait', actor: 'key_1' }, null),
  ]
  for (const call of calls) {
    const error = await call().catch((caught: unknown) => caught)
    expect(failedWith(error, 'internal_contradiction')).toBe(true)
  }
})
