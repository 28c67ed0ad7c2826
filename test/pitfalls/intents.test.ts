import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../server/src/clock.ts'
import { RealChain } from './real-chain.ts'
import { Stack } from './stack.ts'

/** What payers do, and clocks, on a real chain. */
describe('what happens to requests', () => {
  let chain: RealChain
  let stack: Stack
  const price = 150_000_000n
  /** A request of one second is over, and a block of now says so too: blocks count whole seconds. */
  const overMs = 2_100

  beforeEach(async () => {
    chain = await RealChain.start()
    const { port, chainId } = chain.anvil
    const asset = { toleranceBps: 10 }
    stack = await Stack.start({ ports: [port, port], chainId, token: chain.token, asset })
    await stack.at(await chain.mine())
  })
  afterEach(async () => {
    await stack.close()
    await chain.stop()
  })

  const mine = async (blocks = 1): Promise<void> => stack.at(await chain.mine(blocks))
  const pay = async (to: string, amount: bigint): Promise<void> => {
    await chain.pay(to, amount)
    await mine(3)
  }
  const flagsOf = async (id: string): Promise<readonly string[]> => (await stack.payment(id)).flags
  /** A request whose time is over, and known to be. */
  const ended = async (paid = 0n): Promise<{ id: string; address: string }> => {
    const request = await stack.open({ expiresIn: 1 })
    if (paid > 0n) await pay(request.address, paid)
    await systemClock.sleep(overMs)
    await mine()
    await stack.status(request.id, 'expired')
    return request
  }

  it('pitfall 21: a second full payment after success is flagged, and takes nothing back', async () => {
    const { id, address } = await stack.open()
    await pay(address, price)
    await stack.status(id, 'succeeded')
    await pay(address, price)
    const paid = await stack.until(id, 'flagged', ({ flags }) =>
      flags.includes('duplicate_payment'),
    )
    expect(paid).toMatchObject({ status: 'succeeded', received: 2n * price })
    expect(paid.flags).toEqual(['overpaid', 'multiple_transfers', 'duplicate_payment'])
  })

  it('pitfall 21: money that is late by a second reopens what had expired', async () => {
    const { id, address } = await ended()
    await pay(address, price)
    const paid = await stack.status(id, 'succeeded')
    expect(paid.flags).toEqual(['late'])
    expect(await stack.history(id)).toContain('expired:expired')
  })

  it('pitfall 21: three parts that make up the amount pay it', async () => {
    const { id, address } = await stack.open()
    await pay(address, price / 3n)
    await pay(address, price / 3n)
    expect(await stack.payment(id)).toMatchObject({
      status: 'awaiting',
      flags: ['underpaid', 'multiple_transfers'],
    })
    await pay(address, price / 3n)
    expect(await stack.status(id, 'succeeded')).toMatchObject({ flags: ['multiple_transfers'] })
  })

  it('pitfall 21: what is missing within the tolerance is not missing, and one unit more is', async () => {
    const within = await stack.open()
    const below = await stack.open()
    const least = price - price / 1_000n
    await chain.pay(within.address, least)
    await pay(below.address, least - 1n)
    expect(await stack.status(within.id, 'succeeded')).toMatchObject({ received: least, flags: [] })
    expect(await stack.payment(below.id)).toMatchObject({
      status: 'awaiting',
      flags: ['underpaid'],
    })
  })

  it('pitfall 21: money that comes after the merchant cancelled is for a person to decide', async () => {
    const { id, address } = await stack.open()
    await stack.cancel(id)
    await pay(address, price)
    const found = await stack.status(id, 'investigation_required')
    expect(found).toMatchObject({ reason: 'paid_after_cancel', received: price })
  })

  it('pitfall 22: a deadline that comes while the process is dead is kept by the next one', async () => {
    const { id } = await stack.open({ expiresIn: 1 })
    await stack.crash()
    await systemClock.sleep(overMs)
    await stack.crash()
    await mine()
    expect(await stack.status(id, 'expired')).toMatchObject({ received: 0n })
  })

  it('pitfall 23: time that is over is no failure, neither with nothing nor with a part', async () => {
    const nothing = await ended()
    const part = await ended(price / 2n)
    expect(await flagsOf(nothing.id)).toEqual([])
    expect(await stack.payment(part.id)).toMatchObject({ status: 'expired', flags: ['underpaid'] })
    for (const { id } of [nothing, part]) {
      expect((await stack.history(id)).filter((told) => told.includes('failed'))).toEqual([])
    }
  })

  it('nothing expires while the chain cannot be seen, and it does once it can', async () => {
    const { id } = await stack.open({ expiresIn: 1 })
    for (const wire of stack.wires) wire.set({ mode: 'outage' })
    await systemClock.sleep(overMs)
    expect((await stack.payment(id)).status).toBe('awaiting')
    for (const wire of stack.wires) wire.set({ mode: 'ok' })
    await mine()
    await stack.status(id, 'expired')
  })
})
