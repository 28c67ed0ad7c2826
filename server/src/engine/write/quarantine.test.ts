import { Bug } from '@settlewire/core/assert'
import { failedWith } from '@settlewire/core/errors'
import type { Policy } from '@settlewire/core/payment/policy'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { EngineWorld, merchant, policy } from '../../../../test/support/engine-world.ts'
import { silentLog } from '../../log.ts'
import type { Log } from '../../ports/log.ts'

const full = 150_000_000n
const errors: [object, string][] = []
const log: Log = { ...silentLog, error: (fields, message) => void errors.push([fields, message]) }

/** While true, judging a payment in this asset throws a bug. */
let isFaulty = false
const levels = { USDC: [{ upTo: null, settled: 3 }] }
const faulty: Policy = {
  ...{ version: 'faulty-1' },
  chains: {
    ...policy.chains,
    local: {
      ...{ settled: 3, final: 'finalized', quorum: 1 },
      get tiers() {
        if (isFaulty) throw new Bug('must hold: a rule of this test')
        return levels
      },
    },
  },
}

let world: EngineWorld
beforeEach(async () => {
  errors.length = 0
  isFaulty = false
  world = await EngineWorld.start({ log, policy: faulty })
})
afterEach(() => world.close())

const payment = (id: string) => world.engine.payments.get(merchant, id)
const pay = (to: string, txHash: string) => ({ txHash, pays: [{ to, amount: full }] })

it('quarantines and logs a payment whose judging hits a bug, and the chain continues', async () => {
  const { id, address } = await world.open()
  isFaulty = true
  await world.mine([pay(address, '0x1')])
  expect(world.engine.watcher.headOf('local')?.head).toBe(world.local.tip.number)
  expect(await payment(id)).toMatchObject({
    ...{ status: 'investigation_required', reason: 'internal_contradiction' },
  })
  expect(errors.map(([, message]) => message)).toContain(
    'a payment could not be judged because of a bug: it is quarantined',
  )
  expect(JSON.stringify(errors)).not.toContain('0x1')
  isFaulty = false
  const other = await world.open()
  await world.mine([pay(other.address, '0x2')], { blocks: 3 })
  expect(await world.status(other.id)).toBe('succeeded')
})

it('judges a quarantined payment after a restart, with the money that was held', async () => {
  const { id, address } = await world.open()
  isFaulty = true
  await world.mine([pay(address, '0x1')])
  isFaulty = false
  await world.restart()
  world.clock.jump(1_000)
  const isTakenUp = async () => (await payment(id)).reason !== 'internal_contradiction'
  expect(await world.eventually(isTakenUp)).toBe(true)
  await world.mine([], { blocks: 3 })
  expect(await payment(id)).toMatchObject({ status: 'succeeded', received: full })
})

it('refuses a decision with internal_contradiction as long as the bug lasts', async () => {
  const { id, address } = await world.open()
  isFaulty = true
  await world.mine([pay(address, '0x1')])
  const said = { action: 'wait', actor: 'key_1', reason: 'why' } as const
  const resolve = () => world.engine.payments.resolve(merchant, { ...said, paymentId: id }, null)
  const error = await resolve().catch((caught: unknown) => caught)
  expect(failedWith(error, 'internal_contradiction')).toBe(true)
  isFaulty = false
  await resolve()
  expect(await payment(id)).toMatchObject({ received: full })
  expect((await payment(id)).reason).not.toBe('internal_contradiction')
})

it('holds a withdrawal that hits a bug, and applies it once the payment can be judged', async () => {
  const { id, address } = await world.open()
  isFaulty = true
  await world.mine([pay(address, '0x1')])
  const cancel = () =>
    world.engine.payments.cancel(merchant, { paymentId: id, reason: 'sold out' }, null)
  const error = await cancel().catch((caught: unknown) => caught)
  expect(failedWith(error, 'internal_contradiction')).toBe(true)
  expect(await payment(id)).toMatchObject({
    ...{ status: 'investigation_required', reason: 'internal_contradiction' },
    facts: { withdrawn: null },
  })
  isFaulty = false
  world.clock.jump(1_000)
  const isTakenUp = async () => (await payment(id)).reason !== 'internal_contradiction'
  expect(await world.eventually(isTakenUp)).toBe(true)
  expect(await payment(id)).toMatchObject({ facts: { withdrawn: { reason: 'sold out' } } })
})

it('quarantines a payment with a text that the database refuses, but not its block', async () => {
  const [odd, sound] = [await world.open(), await world.open()]
  // PostgreSQL cannot store text with this character.
  const refused = '0x1\u0000'
  await world.mine([pay(odd.address, refused), pay(sound.address, '0x2')], { blocks: 3 })
  expect(await world.status(sound.id)).toBe('succeeded')
  expect(world.engine.watcher.headOf('local')?.head).toBe(world.local.tip.number)
  expect(await payment(odd.id)).toMatchObject({
    ...{ status: 'investigation_required', reason: 'internal_contradiction', received: 0n },
  })
  expect(errors).toHaveLength(1)
})

it('quarantines a payment with a number beyond the range of its column', async () => {
  const [odd, sound] = [await world.open(), await world.open()]
  const amount = 10n ** 140_000n
  const huge = { txHash: '0x1', pays: [{ to: odd.address, amount }] }
  await world.mine([huge, pay(sound.address, '0x2')], { blocks: 3 })
  expect(await world.status(sound.id)).toBe('succeeded')
  expect(await payment(odd.id)).toMatchObject({ status: 'investigation_required' })
  expect(world.engine.watcher.headOf('local')?.head).toBe(world.local.tip.number)
})
