import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant, policy } from '../../../../test/support/engine-world.ts'
import type { ModelTransaction } from '../../../../test/support/model-chain.ts'
import { AddressBook } from './address-book.ts'
import { WatchIndex } from './watch-index.ts'
import { WatchedChain } from './watched-chain.ts'

const full = 150_000_000n
let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.start()
})
afterEach(() => world.close())

const pay = (to: string, txHash = '0x1'): ModelTransaction => ({
  ...{ txHash, pays: [{ to, amount: full }] },
})
const payment = (id: string) => world.engine.payments.get(merchant, id)

describe('money on a chain that the payment does not accept', () => {
  it('is flagged wrong_chain and not counted, even after a restart', async () => {
    const { id, address } = await world.open()
    await world.crash()
    await world.mine([pay(address)], { chain: world.other })
    expect(await payment(id)).toMatchObject({
      ...{ status: 'awaiting', received: 0n, flags: ['wrong_chain'] },
      facts: { transactions: [{ chain: 'other', txHash: '0x1' }] },
    })
    await world.mine([pay(address, '0x2')], { blocks: 3 })
    expect(await payment(id)).toMatchObject({ status: 'succeeded', received: full })
  })

  it('is undone by a reorg of that chain, and no longer tracked once the watch ends', async () => {
    const { id, address } = await world.open()
    await world.mine([pay(address)], { chain: world.other })
    world.other.fork(1, false)
    await world.mine([], { chain: world.other, blocks: 2 })
    expect((await payment(id)).flags).not.toContain('wrong_chain')
    const watch = world.engine.watcher.watchSet('other')
    expect([watch.has(address), watch.tracks('0x1')]).toEqual([true, true])
    await world.pass(32 * 3_600_000)
    expect(await world.eventually(() => !watch.has(address))).toBe(true)
    expect(watch.tracks('0x1')).toBe(false)
  })
})

describe('many addresses', () => {
  const chains = ['a', 'b', 'c', 'd', 'e']
  const rules = {
    version: 'test-1',
    chains: Object.fromEntries(
      chains.map((name) => [name, { settled: 3, final: 'finalized', quorum: 1 } as const]),
    ),
  }
  const addressOf = (i: number) => `0x${i.toString(16).padStart(40, '0')}`
  const accept = (i: number, token: string | null) => [
    {
      ...{ asset: 'USDC', chain: 'a', chainId: 1, token, decimals: 6 },
      address: addressOf(i),
    },
  ]

  it('are watched on every chain of their mode, and on no other, a hundred thousand of them', () => {
    const followed = chains.map((name) => ({ name, livemode: false }))
    const index = new WatchIndex([...followed, { name: 'live', livemode: true }], {
      ...rules,
      chains: { ...rules.chains, live: policy.chains.local ?? raise() },
    })
    const count = 100_000
    for (let i = 0; i < count; i++) {
      index.watch(`pi_${i}`, { livemode: false, accept: accept(i, '0xc0') })
    }
    for (const name of chains) expect(index.chain(name)?.has(addressOf(99_999))).toBe(true)
    expect(index.chain('live')?.has(addressOf(99_999))).toBe(false)
    index.release('pi_99999')
    for (const name of chains) expect(index.chain(name)?.has(addressOf(99_999))).toBe(false)
    expect(index.size).toBe(count - 1)
  })

  it('share one book, so that a new address is added once however many chains are followed', () => {
    const touched: string[] = []
    class CountedBook extends AddressBook {
      override add(address: string, paymentId: string): void {
        touched.push(address)
        super.add(address, paymentId)
      }
    }
    const book = new CountedBook()
    const rule = rules.chains.a ?? raise()
    const watched = chains.map(() => new WatchedChain(rule, book))
    book.add(addressOf(1), 'pi_1')
    expect(touched).toEqual([addressOf(1)])
    expect(watched.every((chain) => chain.has(addressOf(1)))).toBe(true)
  })
})

const raise = (): never => {
  throw new Error('unreachable')
}
