import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../server/src/clock.ts'
import { RealChain } from './real-chain.ts'
import { Stack } from './stack.ts'

/** Payers and deadlines on a real chain. */
describe('a payment on a real chain', () => {
  let chain: RealChain
  let stack: Stack
  const price = 150_000_000n
  /** After this time a deadline of one second is over by block time too (whole seconds). */
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
  /** An expired payment. */
  const ended = async (paid = 0n): Promise<{ id: string; address: string }> => {
    const request = await stack.open({ expiresIn: 1 })
    if (paid > 0n) await pay(request.address, paid)
    await systemClock.sleep(overMs)
    await mine()
    await stack.status(request.id, 'expired')
    return request
  }

  it('stays succeeded and is flagged after a second full payment', async () => {
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

  it('succeeds after it has expired when money comes a second late', async () => {
    const { id, address } = await ended()
    await pay(address, price)
    const paid = await stack.status(id, 'succeeded')
    expect(paid.flags).toEqual(['late'])
    expect(await stack.history(id)).toContain('expired:expired')
  })

  it('succeeds when three transfers add up to the amount', async () => {
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

  it('succeeds at the limit of the tolerance, and is underpaid one unit below', async () => {
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

  it('needs an investigation when money comes after it was cancelled', async () => {
    const { id, address } = await stack.open()
    await stack.cancel(id)
    await pay(address, price)
    const found = await stack.status(id, 'investigation_required')
    expect(found).toMatchObject({ reason: 'paid_after_cancel', received: price })
  })

  it('expires in the next process when its deadline passes while none runs', async () => {
    const { id } = await stack.open({ expiresIn: 1 })
    await stack.crash()
    await systemClock.sleep(overMs)
    await stack.crash()
    await mine()
    expect(await stack.status(id, 'expired')).toMatchObject({ received: 0n })
  })

  it('expires and does not fail, both unpaid and partly paid', async () => {
    const nothing = await ended()
    const part = await ended(price / 2n)
    expect(await flagsOf(nothing.id)).toEqual([])
    expect(await stack.payment(part.id)).toMatchObject({ status: 'expired', flags: ['underpaid'] })
    for (const { id } of [nothing, part]) {
      expect((await stack.history(id)).filter((told) => told.includes('failed'))).toEqual([])
    }
  })

  it('does not expire while its chain cannot be seen, and expires once it can', async () => {
    const { id } = await stack.open({ expiresIn: 1 })
    for (const wire of stack.wires) wire.set({ mode: 'outage' })
    await systemClock.sleep(overMs)
    expect((await stack.payment(id)).status).toBe('awaiting')
    for (const wire of stack.wires) wire.set({ mode: 'ok' })
    await mine()
    await stack.status(id, 'expired')
  })
})
