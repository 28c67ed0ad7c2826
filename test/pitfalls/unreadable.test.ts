/** A payment whose stored state this version cannot read: a rescan finds its money later. */
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Rescan } from '../../server/src/engine/watch/rescan.ts'
import type { RescanReport } from '../../server/src/ports/rescan.ts'
import { tokenTx } from '../support/evm/fake-chain.ts'
import type { FakeNode } from '../support/fake-node.ts'
import { policy } from '../support/payments.ts'
import type { Stack } from './stack.ts'
import { price, token, twoNodes } from './two-nodes.ts'

describe('a payment that cannot be read', () => {
  let node: FakeNode
  const { begin, mine } = twoNodes((first) => {
    node = first
  })
  afterEach(() => void vi.restoreAllMocks())

  /** Rescans all blocks up to the head. */
  async function rescan(world: Stack): Promise<RescanReport> {
    const { engine, follower, store } = world
    const request = { chain: 'local', from: 0, to: node.chain.head.number, paymentId: null }
    const run = await Rescan.open(
      {
        ...{
          request,
          chain: { name: 'local', livemode: false },
          rereader: follower.rereader,
          policy,
        },
        ...{ store: store.events, rescans: store.rescans, index: engine.index },
        head: node.chain.head.number,
      },
      null,
    )
    while (!run.isDone) await run.goOn()
    return run.report
  }

  it('does not stop the chain, and its money is found once it can be read', async () => {
    const world = await begin([node])
    const [bad, good] = [await world.open(), await world.open()]
    const revive = paymentKind.revive
    const faulty = vi.spyOn(paymentKind, 'revive').mockImplementation((stored) => {
      if (stored.id === bad.id) throw new TypeError('a fault of this test')
      return revive(stored)
    })
    await world.crash()
    mine([tokenTx(token, bad.address, price), tokenTx(token, good.address, price)])
    mine()
    await world.at(node.chain.head)
    await world.status(good.id, 'confirming')
    expect(await world.history(bad.id)).toEqual(['created:awaiting'])
    const unjudged = await rescan(world)
    expect(unjudged.findings).toMatchObject([{ kind: 'unclear', paymentId: bad.id }])
    faulty.mockRestore()
    await world.crash()
    mine()
    await world.at(node.chain.head)
    // The results of a rescan are recorded with the next step of the chain.
    const goesOn = setInterval(mine, 300)
    const found = await rescan(world).finally(() => clearInterval(goesOn))
    expect(found.findings).toMatchObject([{ kind: 'missing', paymentId: bad.id }])
    expect((await world.payment(bad.id)).received).toBe(price)
  }, 30_000)
})
