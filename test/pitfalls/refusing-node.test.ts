import { describe, expect, it } from 'vitest'
import { systemClock } from '../../server/src/clock.ts'
import { tokenTx } from '../support/evm/fake-chain.ts'
import { type FakeNode, Raw, Refused } from '../support/fake-node.ts'
import { price, token, twoNodes } from './two-nodes.ts'

const tooMany = new Refused(-32005, 'too many requests')

/** Forms of refusals by nodes. None of them is an answer to the request. */
const refusals: readonly (readonly [string, unknown])[] = [
  ['by its code', tooMany],
  ['under the code of an unknown block', new Refused(-32000, 'rate limit exceeded')],
  ['as a text without an id', new Raw('{"error":"Too many requests"}')],
]

describe('on nodes that refuse', () => {
  let node: FakeNode
  let other: FakeNode
  const { begin, mine } = twoNodes((first, second) => {
    node = first
    other = second
  })
  const isTag = (params: readonly unknown[]): boolean => params[0] === 'finalized'

  it.each(refusals)(
    'one provider alone makes nothing final while the other refuses the tag %s',
    async (_how, refusal) => {
      const world = await begin([node, other], { policy: { settled: 'finalized' } })
      const { id, address } = await world.open()
      other.instead = (_, params) => (isTag(params) ? refusal : undefined)
      mine([tokenTx(token, address, price)])
      node.finalized = node.chain.head.number
      other.finalized = node.chain.head.number
      for (let more = 0; more < 4; more++) mine()
      await world.at(node.chain.head)
      expect((await world.payment(id)).status).toBe('confirming')
      other.instead = () => undefined
      // The tag is requested with each step, and no step waits for it.
      mine()
      await systemClock.sleep(500)
      mine()
      await world.status(id, 'succeeded')
    },
  )

  it('blocks are read while both providers refuse the finality tag', async () => {
    const world = await begin()
    const { id, address } = await world.open()
    for (const one of [node, other]) one.instead = (_, by) => (isTag(by) ? tooMany : undefined)
    mine([tokenTx(token, address, price)])
    mine()
    mine()
    await world.status(id, 'succeeded')
  })

  it.each(refusals.slice(0, 2))(
    'a subscription that is refused at connect %s is retried, and health reports it',
    async (_how, refusal) => {
      let refuses = true
      for (const one of [node, other]) {
        one.pool.clear()
        one.state.pool = 'content'
        one.instead = (method) => (refuses && method === 'eth_subscribe' ? refusal : undefined)
      }
      const world = await begin()
      const { id, address } = await world.open()
      await world.sight(
        'degraded',
        ({ follower }) => follower.health().reason === 'subscription_refused',
      )
      // Until then heads are polled.
      mine()
      await world.at(node.chain.head)
      refuses = false
      const tx = tokenTx(token, address, price)
      for (const one of [node, other]) one.broadcast(tx)
      await world.status(id, 'pending_detected')
      await world.sight('well', ({ follower }) => follower.health().reason === null)
    },
  )

  it.each(refusals)(
    'a look-up that is refused %s is unsure and does not drop the transaction',
    async (_how, refusal) => {
      const world = await begin()
      const { address } = await world.open()
      const tx = tokenTx(token, address, price)
      for (const one of [node, other]) one.broadcast(tx)
      other.pool.clear()
      node.instead = (method) => (method === 'eth_getTransactionByHash' ? refusal : undefined)
      expect(await world.follower.lookUp(tx.hash)).toEqual({ kind: 'unsure' })
      node.instead = () => undefined
      expect(await world.follower.lookUp(tx.hash)).toMatchObject({ kind: 'pending' })
    },
  )

  it('other methods replace a refused `eth_getLogs`, and no provider is disconnected', async () => {
    const world = await begin()
    const { id, address } = await world.open()
    for (const one of [node, other]) {
      one.instead = (method) => (method === 'eth_getLogs' ? tooMany : undefined)
    }
    mine([tokenTx(token, address, price)])
    mine()
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price })
    expect(world.follower.health().providers?.map(({ reconnects }) => reconnects)).toEqual([0, 0])
  })

  it('after both refuse everything for a while, reading continues without a reconnect', async () => {
    const world = await begin()
    const { id, address } = await world.open()
    for (const one of [node, other]) one.instead = () => tooMany
    mine([tokenTx(token, address, price)])
    mine()
    await systemClock.sleep(1_500)
    expect(await world.payment(id)).toMatchObject({ status: 'awaiting' })
    for (const one of [node, other]) one.instead = () => undefined
    mine()
    expect(await world.status(id, 'succeeded')).toMatchObject({ received: price })
    expect(world.follower.health().providers?.map(({ reconnects }) => reconnects)).toEqual([0, 0])
  })

  it('a notification that arrives before its subscription id is not lost', async () => {
    const world = await begin()
    const { id, address } = await world.open()
    const tx = tokenTx(token, address, price)
    for (const one of [node, other]) {
      one.instead = (method, [what, whole]) => {
        if (method !== 'eth_subscribe' || what !== 'newPendingTransactions' || whole !== true) {
          return undefined
        }
        const result = { ...pendingOf(tx) }
        const params = { subscription: '0x77', result }
        one.say(JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params }))
        return '0x77'
      }
      one.drop()
    }
    await world.status(id, 'pending_detected')
  })

  const pendingOf = (tx: ReturnType<typeof tokenTx>) => ({
    ...{ hash: tx.hash, from: tx.from, to: tx.to, input: tx.input, value: '0x0' },
    ...{ nonce: '0x0', maxFeePerGas: '0x1', blockNumber: null },
  })
})
