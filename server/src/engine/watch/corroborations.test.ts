import { Failure } from '@settlewire/core/errors'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant, policy } from '../../../../test/support/engine-world.ts'
import type { ModelTransaction } from '../../../../test/support/model-chain.ts'
import { payer, usdc } from '../../../../test/support/payments.ts'
import type { Corroborated } from '../../ports/chain.ts'

const full = 150_000_000n
const rule = policy.chains.local
if (rule === undefined) throw new Error('unreachable')

let world: EngineWorld
beforeEach(async () => {
  const chains = { ...policy.chains, local: { ...rule, quorum: 2 } }
  world = await EngineWorld.start({ policy: { version: 'test-2', chains } })
  // Two providers are up, so a payment waits for the second one.
  world.local.witnesses = 2
})
afterEach(() => world.close())

const pay = (to: string): ModelTransaction => ({ txHash: '0x1', pays: [{ to, amount: full }] })
const payment = (id: string) => world.engine.payments.get(merchant, id)
const seenIn = (to: string, block = world.local.tip): Corroborated => ({
  ...{ txHash: '0x1', block },
  transfers: [{ txHash: '0x1', part: 0, token: usdc, from: payer, to, amount: full }],
})
const corroborate = async (source: string, ...inclusions: Corroborated[]) => {
  world.engine.watcher.corroborated('local', source, inclusions)
  await world.settled()
}
const deny = async (source: string, ...inclusions: Corroborated[]) => {
  world.engine.watcher.denied('local', source, inclusions)
  await world.settled()
}
const sources = async (id: string) =>
  Object.values((await payment(id)).facts.transactions[0]?.inclusions ?? {}).flatMap((inclusion) =>
    Object.keys(inclusion.shownBy).sort(),
  )

describe('an inclusion that a second provider corroborates or denies', () => {
  it('makes a payment succeed that was deep enough and waited for the second provider', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const seen = seenIn(address)
    for (let i = 0; i < 30; i++) await world.mine()
    expect(await world.status(id)).toBe('confirming')
    await corroborate('rpc:two', seen)
    expect(await payment(id)).toMatchObject({ status: 'succeeded', flags: [] })
    expect(await sources(id)).toEqual(['rpc:local', 'rpc:two'])
  })

  it('adds no money: a transfer that only the second provider shows is left out', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const seen = seenIn(address)
    const [transfer] = seen.transfers
    if (transfer === undefined) throw new Error('it pays')
    const more = { ...transfer, part: 'trace:0', token: null, amount: 7n } as const
    await corroborate('rpc:two', { ...seen, transfers: [transfer, more] })
    const [inclusion] = Object.values((await payment(id)).facts.transactions[0]?.inclusions ?? {})
    expect(inclusion).toMatchObject({ transfers: [transfer] })
    expect(Object.keys(inclusion?.shownBy ?? {})).toEqual(['rpc:local', 'rpc:two'])
    expect(inclusion?.transfers).toHaveLength(1)
  })

  it('makes one event however often it is corroborated, and none beyond the quorum', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const before = (await world.history(id)).length
    for (const source of ['rpc:two', 'rpc:two', 'rpc:local', 'rpc:three']) {
      await corroborate(source, seenIn(address))
    }
    expect(await world.history(id)).toHaveLength(before + 1)
    expect(await sources(id)).toEqual(['rpc:local', 'rpc:two'])
  })

  it('stays denied, without endless events, by a provider that changes its answer', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const seen = seenIn(address)
    const counts: number[] = []
    for (let round = 0; round < 30; round++) {
      await deny('rpc:two', seen)
      await world.mine()
      await corroborate('rpc:two', seen)
      await world.mine()
      counts.push((await world.history(id)).length)
    }
    expect(counts.at(-1)).toBe(counts.at(12))
    const [transaction] = (await payment(id)).facts.transactions
    expect(Object.keys(transaction?.denials?.[seen.block.hash] ?? {})).toEqual(['rpc:two'])
  })

  it('is corroborated beyond the quorum if one provider denies it, which is recorded once', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const seen = seenIn(address)
    for (let i = 0; i < 30; i++) await world.mine()
    const before = (await world.history(id)).length
    await deny('rpc:three', seen)
    await deny('rpc:three', seen)
    expect(await world.history(id)).toHaveLength(before + 1)
    await corroborate('rpc:two', seen)
    // Two show it and one denies it.
    expect(await payment(id)).toMatchObject({ status: 'succeeded', flags: [] })
  })

  it('holds the payment while denied and the others are down, even after a restart', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    await deny('rpc:two', seenIn(address))
    expect((await payment(id)).flags).toEqual(['sources_disagree'])
    world.local.witnesses = 1
    for (let i = 0; i < 30; i++) await world.mine()
    await world.restart()
    for (let i = 0; i < 3; i++) await world.mine()
    expect(await payment(id)).toMatchObject({
      ...{ status: 'confirming', finality: 'none', flags: ['sources_disagree'] },
    })
  })

  it('is no longer denied once the same provider shows it at a later view', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const seen = seenIn(address)
    for (let i = 0; i < 30; i++) await world.mine()
    await deny('rpc:two', seen)
    await corroborate('rpc:two', seen)
    expect((await payment(id)).flags).toEqual(['sources_disagree'])
    await world.mine()
    await world.settled()
    expect(await payment(id)).toMatchObject({ status: 'succeeded', flags: [] })
  })

  it('never counts if it is denied in the step itself', async () => {
    const { id, address } = await world.open()
    world.local.deniedBy = ['rpc:two']
    await world.mine([pay(address)])
    expect(await payment(id)).toMatchObject({
      ...{ status: 'confirming', flags: ['sources_disagree'] },
    })
  })

  it('stops counting when all that showed it deny it, until one shows it again', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const seen = seenIn(address)
    await corroborate('rpc:two', seen)
    for (let i = 0; i < 30; i++) await world.mine()
    expect(await world.status(id)).toBe('succeeded')
    await deny('rpc:two', seen)
    expect(await world.status(id)).toBe('succeeded')
    await deny('rpc:local', seen)
    expect(await payment(id)).toMatchObject({
      ...{ status: 'investigation_required', reason: 'denied_after_success', received: 0n },
    })
    await world.crash()
    await world.mine()
    await corroborate('rpc:two', seen)
    await corroborate('rpc:local', seen)
    expect(await payment(id)).toMatchObject({ status: 'succeeded', received: full, reason: null })
  })

  it('never stops counting if one provider denies it and another shows it in one turn', async () => {
    const { id, address } = await world.open()
    world.local.sources = ['rpc:local', 'rpc:two']
    await world.mine([pay(address)])
    const seen = seenIn(address)
    const before = await world.history(id)
    const { watcher } = world.engine
    watcher.denied('local', 'rpc:local', [seen])
    watcher.denied('local', 'rpc:two', [seen])
    // Beyond the quorum rpc:three was not recorded, and it is not asked again.
    watcher.corroborated('local', 'rpc:three', [seen])
    await world.settled()
    expect(await world.history(id)).toEqual([...before, 'updated:confirming'])
    expect(await payment(id)).toMatchObject({ received: full, flags: ['sources_disagree'] })
  })

  it('if denied, ends in investigation_required after the watch, even after a restart', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const seen = seenIn(address)
    await deny('rpc:two', seen)
    for (let i = 0; i < 3; i++) await world.mine()
    const told = await world.history(id)
    for (let i = 0; i < 12; i++) await world.mine()
    expect(await world.history(id)).toEqual(told)
    await world.crash()
    const { monitorUntil } = (await payment(id)).terms
    await world.pass(monitorUntil - world.clock.now() - 60_000)
    expect(await world.status(id)).toBe('confirming')
    await world.pass(120_000)
    expect(await world.eventually(async () => (await world.status(id)) !== 'confirming')).toBe(true)
    expect(await payment(id)).toMatchObject({
      ...{ status: 'investigation_required', reason: 'sources_disagree', received: full },
    })
    expect(await world.history(id)).toHaveLength(told.length + 1)
    // Later reports are still accepted.
    await world.mine()
    await corroborate('rpc:two', seen)
    await world.settled()
    expect(await payment(id)).toMatchObject({ status: 'succeeded', reason: null })
  })

  it('makes a success final at once if its block became final while the payment waited', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const seen = seenIn(address)
    for (let i = 0; i < 30; i++) await world.mine()
    expect(await payment(id)).toMatchObject({ status: 'confirming', finality: 'none' })
    await corroborate('rpc:two', seen)
    expect(await payment(id)).toMatchObject({ status: 'succeeded', finality: 'final' })
  })

  it('is judged under the newest head when a person decides', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    for (let i = 0; i < 30; i++) await world.mine()
    const resolve = { paymentId: id, action: 'accept', reason: 'seen elsewhere', actor: 'key_1' }
    await world.engine.payments.resolve(merchant, { ...resolve, action: 'accept' }, null)
    expect(await payment(id)).toMatchObject({ status: 'succeeded', finality: 'final' })
  })

  it('makes no event of its own when two providers show it in the step', async () => {
    const { id, address } = await world.open()
    world.local.sources = ['rpc:local', 'rpc:two']
    await world.mine([pay(address)])
    expect(await world.history(id)).toEqual(['created:awaiting', 'confirming:confirming'])
    expect(await sources(id)).toEqual(['rpc:local', 'rpc:two'])
  })

  it('is ignored for a block that is not on record or was orphaned', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const gone = seenIn(address)
    world.local.fork(1, false)
    await world.mine([], { blocks: 2 })
    await corroborate('rpc:two', gone, seenIn(address))
    expect(await payment(id)).toMatchObject({ status: 'awaiting', received: 0n })
    expect(await sources(id)).toEqual(['rpc:local'])
  })

  it('waits until its block is stored, and until the store is available again', async () => {
    const { id, address } = await world.open()
    world.local.mine([pay(address)])
    await corroborate('rpc:two', seenIn(address))
    expect(await sources(id)).toEqual([])
    // The first append is the step; the second, of the second provider, fails.
    let appends = 0
    world.around = (method, call) =>
      method === 'append' && ++appends === 2
        ? Promise.reject(new Failure('store_unavailable'))
        : call()
    await world.follow()
    await world.settled()
    world.around = (_, call) => call()
    expect([appends, await sources(id)]).toEqual([2, ['rpc:local']])
    await world.mine()
    await world.settled()
    expect(await sources(id)).toEqual(['rpc:local', 'rpc:two'])
  })

  it('stays denied if an older report of the same provider could not be stored in time', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const seen = seenIn(address)
    for (let i = 0; i < 30; i++) await world.mine()
    await deny('rpc:two', seen)
    await world.mine()
    world.around = (method, call) =>
      method === 'append' ? Promise.reject(new Failure('store_unavailable')) : call()
    // The report shares its batch with the command that waits for it.
    await expect(corroborate('rpc:two', seen)).rejects.toThrow(Failure)
    world.around = (_, call) => call()
    await deny('rpc:two', seen)
    await world.mine()
    await world.settled()
    const { facts, flags } = await payment(id)
    expect(flags).toEqual(['sources_disagree'])
    expect(Object.keys(facts.transactions[0]?.denials?.[seen.block.hash] ?? {})).toEqual([
      'rpc:two',
    ])
  })

  it('keeps a denial that the provider took back before it could be stored', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const seen = seenIn(address)
    await corroborate('rpc:two', seen)
    world.around = (method, call) =>
      method === 'append' ? Promise.reject(new Failure('store_unavailable')) : call()
    // The report shares its batch with the command that waits for it.
    await expect(deny('rpc:two', seen)).rejects.toThrow(Failure)
    world.around = (_, call) => call()
    await corroborate('rpc:two', seen)
    // The first step records the denial, the next one that the provider took it back.
    for (let i = 0; i < 2; i++) {
      await world.mine()
      await world.settled()
    }
    const { facts, flags } = await payment(id)
    const [transaction] = facts.transactions
    expect(Object.keys(transaction?.denials?.[seen.block.hash] ?? {})).toEqual(['rpc:two'])
    expect(flags).toEqual([])
    expect(await sources(id)).toEqual(['rpc:local', 'rpc:two'])
  })

  it('is not awaited when no second provider is up: the flag is single_source', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    for (let i = 0; i < 30; i++) await world.mine()
    expect(await world.status(id)).toBe('confirming')
    world.local.witnesses = 1
    await world.mine()
    expect(await payment(id)).toMatchObject({ status: 'succeeded', flags: ['single_source'] })
  })

  it('is awaited after a restart too, however deep the block is', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    for (let i = 0; i < 30; i++) await world.mine()
    await world.crash()
    world.local.witnesses = 1
    await world.mine()
    expect(await world.status(id)).toBe('succeeded')
  })
})
