import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeTx, newAddress } from '../../../../../test/support/evm/fake-chain.ts'
import { openNode } from '../../../../../test/support/evm/open-node.ts'
import { FakeNode, Refused } from '../../../../../test/support/fake-node.ts'
import { contestKey } from '../block/contest-key.ts'
import type { EvmNode } from '../node/node.ts'
import { usedSlots } from './slots.ts'

describe('usedSlots', () => {
  let fake: FakeNode
  let node: EvmNode
  let leave: () => void

  beforeEach(async () => {
    fake = await FakeNode.start()
    const open = await openNode(fake.wsUrl)
    node = open.node
    leave = open.leave
  })
  afterEach(async () => {
    leave()
    await fake.close()
  })

  const slot = (nonce: number, sender = newAddress()) => ({
    ...{ txHash: fakeTx().hash, sender, key: contestKey(sender, nonce) },
  })
  const asked = () => fake.asked.filter(({ method }) => method === 'eth_getTransactionCount')

  it('returns nothing when the node returns an invalid count', async () => {
    fake.instead = (method) => (method === 'eth_getTransactionCount' ? '0x-1' : undefined)
    expect(await usedSlots(node, [slot(4)], fake.chain.head)).toEqual([])
  })

  it('returns each transaction whose nonce is below the sender count at the block, whatever used it', async () => {
    const [mine, other] = [slot(4), slot(4)]
    const later = slot(5, mine.sender)
    fake.state.usedUp.set(mine.sender, 5)
    fake.state.usedUp.set(other.sender, 4)
    expect(await usedSlots(node, [mine, later, other], fake.chain.head)).toEqual([mine.txHash])
    // Two transactions of one sender need one question.
    expect(asked()).toHaveLength(2)
    expect(asked()[0]?.params).toEqual([mine.sender, { blockHash: fake.chain.head.hash }])
  })

  it('uses the count at the given block, not a later one', async () => {
    const waiting = slot(0)
    const before = fake.mine()
    const after = fake.mine([fakeTx({ from: waiting.sender, nonce: 0 })])
    expect(await usedSlots(node, [waiting], before)).toEqual([])
    expect(await usedSlots(node, [waiting], after)).toEqual([waiting.txHash])
  })

  it('asks by block number when the node does not accept hashes, and ignores another block of that number', async () => {
    fake.state.byHash = false
    const waiting = slot(0)
    const orphan = fake.mine([fakeTx({ from: waiting.sender })])
    expect(await usedSlots(node, [waiting], orphan)).toEqual([waiting.txHash])
    fake.chain.rewind(1)
    fake.mine([fakeTx({ from: waiting.sender })])
    expect(await usedSlots(node, [waiting], orphan)).toEqual([])
  })

  it('returns nothing when the node lacks the state', async () => {
    fake.instead = (method) =>
      method === 'eth_getTransactionCount' ? new Refused(-32000, 'missing trie node') : undefined
    expect(await usedSlots(node, [slot(0)], fake.chain.head)).toEqual([])
  })

  it('checks at most 256 senders per block, and each sender within a few blocks', async () => {
    const open = Array.from({ length: 600 }, () => slot(0))
    for (const { sender } of open) fake.state.usedUp.set(sender, 1)
    const found = new Set<string>()
    for (let blocks = 0; blocks < 3; blocks++) {
      const before = asked().length
      for (const txHash of await usedSlots(node, open, fake.mine())) found.add(txHash)
      expect(asked().length - before).toBeLessThanOrEqual(256)
    }
    expect(found.size).toBe(600)
  })
})
