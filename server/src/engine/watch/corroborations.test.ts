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
  // Two providers are up: so there is something to wait for.
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

describe('the same receipt from a second provider', () => {
  it('makes a payment succeed that was deep enough and waited for it', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const seen = seenIn(address)
    for (let i = 0; i < 30; i++) await world.mine()
    expect(await world.status(id)).toBe('confirming')
    await corroborate('rpc:two', seen)
    expect(await payment(id)).toMatchObject({ status: 'succeeded', flags: [] })
    expect(await sources(id)).toEqual(['rpc:local', 'rpc:two'])
  })

  it('adds no money: what was not told with the block is not taken from somebody later', async () => {
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

  it('makes one event, however often it is told, and none beyond the quorum', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const before = (await world.history(id)).length
    for (const source of ['rpc:two', 'rpc:two', 'rpc:local', 'rpc:three']) {
      await corroborate(source, seenIn(address))
    }
    expect(await world.history(id)).toHaveLength(before + 1)
    expect(await sources(id)).toEqual(['rpc:local', 'rpc:two'])
  })

  it('of a source that changes its word again and again keeps the denial, and adds no more events', async () => {
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

  it('counts beyond the quorum too where one denies it, and the denial is on record once', async () => {
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

  it('denied holds the payment while the others are away, also after a restart', async () => {
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

  it('takes back what the same provider denied, and waits for a later view to say so', async () => {
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

  it('denied in the step itself holds the payment from the first moment', async () => {
    const { id, address } = await world.open()
    world.local.deniedBy = ['rpc:two']
    await world.mine([pay(address)])
    expect(await payment(id)).toMatchObject({
      ...{ status: 'confirming', flags: ['sources_disagree'] },
    })
  })

  it('taken back by all who showed it stops counting, and counts again once one shows it', async () => {
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

  it('taken back by one stays money in the same moment where another shows it', async () => {
    const { id, address } = await world.open()
    world.local.sources = ['rpc:local', 'rpc:two']
    await world.mine([pay(address)])
    const seen = seenIn(address)
    const before = await world.history(id)
    const { watcher } = world.engine
    watcher.denied('local', 'rpc:local', [seen])
    watcher.denied('local', 'rpc:two', [seen])
    // Beyond the quorum nobody was on record, and nobody is asked anew.
    watcher.corroborated('local', 'rpc:three', [seen])
    await world.settled()
    expect(await world.history(id)).toEqual([...before, 'updated:confirming'])
    expect(await payment(id)).toMatchObject({ received: full, flags: ['sources_disagree'] })
  })

  it('denied by one goes to a person at the end of the watch, also after a restart', async () => {
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
    // It is listened to from then on, too.
    await world.mine()
    await corroborate('rpc:two', seen)
    await world.settled()
    expect(await payment(id)).toMatchObject({ status: 'succeeded', reason: null })
  })

  it('makes a success final at once where its block has become final while it waited', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const seen = seenIn(address)
    for (let i = 0; i < 30; i++) await world.mine()
    expect(await payment(id)).toMatchObject({ status: 'confirming', finality: 'none' })
    await corroborate('rpc:two', seen)
    expect(await payment(id)).toMatchObject({ status: 'succeeded', finality: 'final' })
  })

  it('is decided by a person under the newest head, too', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    for (let i = 0; i < 30; i++) await world.mine()
    const resolve = { paymentId: id, action: 'accept', reason: 'seen elsewhere', actor: 'key_1' }
    await world.engine.payments.resolve(merchant, { ...resolve, action: 'accept' }, null)
    expect(await payment(id)).toMatchObject({ status: 'succeeded', finality: 'final' })
  })

  it('comes with the step without an event of its own', async () => {
    const { id, address } = await world.open()
    world.local.sources = ['rpc:local', 'rpc:two']
    await world.mine([pay(address)])
    expect(await world.history(id)).toEqual(['created:awaiting', 'confirming:confirming'])
    expect(await sources(id)).toEqual(['rpc:local', 'rpc:two'])
  })

  it('says nothing of a block that is not on record, or not any more', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    const gone = seenIn(address)
    world.local.fork(1, false)
    await world.mine([], { blocks: 2 })
    await corroborate('rpc:two', gone, seenIn(address))
    expect(await payment(id)).toMatchObject({ status: 'awaiting', received: 0n })
    expect(await sources(id)).toEqual(['rpc:local'])
  })

  it('is kept until its block is stored, and until the store is back', async () => {
    const { id, address } = await world.open()
    world.local.mine([pay(address)])
    await corroborate('rpc:two', seenIn(address))
    expect(await sources(id)).toEqual([])
    // The first append is the step; the second one, of the second source, finds the store away.
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

  it('is not waited for when no second provider is up: the payment says so', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    for (let i = 0; i < 30; i++) await world.mine()
    expect(await world.status(id)).toBe('confirming')
    world.local.witnesses = 1
    await world.mine()
    expect(await payment(id)).toMatchObject({ status: 'succeeded', flags: ['single_source'] })
  })

  it('is waited for after a restart too, as deep as the block may be', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)])
    for (let i = 0; i < 30; i++) await world.mine()
    await world.crash()
    world.local.witnesses = 1
    await world.mine()
    expect(await world.status(id)).toBe('succeeded')
  })
})
