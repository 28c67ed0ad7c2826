import { afterEach, describe, expect, it } from 'vitest'
import { RealChain } from './real-chain.ts'
import { Stack } from './stack.ts'

/** A reorg of 12 blocks on a chain that finalizes at depth 8: it replaces final blocks. */
describe('a reorg below finality', () => {
  const price = 150_000_000n
  let chain: RealChain
  let stack: Stack

  const finalPayment = async (followBelowFinality: boolean): Promise<string> => {
    chain = await RealChain.start()
    const { port, chainId } = chain.anvil
    stack = await Stack.start({
      ...{ ports: [port, port], chainId, token: chain.token, chain: { followBelowFinality } },
    })
    await stack.at(await chain.mine())
    const { id, address } = await stack.open()
    await chain.pay(address, price)
    for (let block = 0; block < 12; block++) await stack.at(await chain.mine())
    await stack.until(id, 'final', ({ finality }) => finality === 'final')
    return id
  }

  afterEach(async () => {
    await stack.close()
    await chain.stop()
  })

  it('halts the chain as blind and takes no payment back', async () => {
    const id = await finalPayment(false)
    const before = await stack.history(id)
    await chain.reorg(12)
    await chain.mine(2)
    await stack.sight('it is stopped', ({ follower }) => {
      const { visibility, reason } = follower.health()
      return visibility === 'blind' && reason === 'reorg_below_finality'
    })
    expect(await stack.history(id)).toEqual(before)
  })

  it('makes paid payments `investigation_required` if the operator allows to follow the new branch', async () => {
    const id = await finalPayment(true)
    await chain.reorg(12)
    await stack.at(await chain.mine(2))
    const { status, reason, received } = await stack.status(id, 'investigation_required')
    expect({ status, reason, received }).toMatchObject({
      ...{ reason: 'reorged_after_success', received: 0n },
    })
  })
})
