import { describe, expect, it } from 'vitest'
import { FakeChain, tokenTx } from '../../../../test/support/evm/fake-chain.ts'
import { fleetWorld } from '../../../../test/support/evm/fleet-world.ts'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('providers on another chain', () => {
  const world = fleetWorld(2)

  it('are ignored with another chain id or genesis while the other provider is read', async () => {
    const to = world.watched()
    world.b.chainId = 5
    world.follow()
    await world.says('provider_quarantined')
    world.b.chain.mine([tokenTx(world.token, to, 1n)])
    world.mine([tokenTx(world.token, to, 2n)], [world.a])
    await world.at(world.a)
    expect(world.score('b')).toMatchObject({ visibility: 'blind', reason: 'chain_mismatch' })
    expect(world.ledger.transfers.map(({ amount }) => amount)).toEqual([2n])
    world.b.chainId = 31337
    const ours = world.a.chain
    world.b.chain = new FakeChain('another genesis')
    await pause(500)
    expect(world.score('b')?.reason).toBe('chain_mismatch')
    world.b.chain = ours.fork()
    await world.says(null)
  })

  it('do not define the chain by connecting first when a genesis is configured', async () => {
    const genesisHash = world.b.chain.genesis?.hash ?? ''
    world.a.chain = new FakeChain('another genesis')
    world.follow({ chain: { genesisHash } })
    await world.at(world.b)
    world.mine([], [world.b])
    await world.at(world.b)
    expect(world.ledger.stored?.genesisHash).toBe(genesisHash)
    expect(world.score('a')?.reason).toBe('chain_mismatch')
  })

  it.each([
    ['the longest', 8],
    // The follower does not read from it, so only the disagreement reveals it.
    ['not the longest', 3],
  ])('are ignored on a branch below a final block, %s, until they fit again', async (_, blocks) => {
    world.a.finalized = 3
    world.follow()
    await world.says(null)
    world.mineMany(2)
    const branch = world.b.chain.fork()
    world.mineMany(4, [world.a])
    await world.at(world.a)
    world.b.chain = branch
    world.mineMany(blocks, [world.b])
    await world.says('provider_quarantined')
    expect(world.score('b')?.reason).toBe('reorg_below_finality')
    world.mine([], [world.a])
    await world.at(world.a)
    expect(world.ledger.steps.at(-1)?.head).toMatchObject({ witnesses: 1, disagree: false })
    expect(world.ledger.steps.flatMap(({ reverted }) => reverted)).toEqual([])
    world.b.chain = world.a.chain.fork()
    await world.says(null)
  })

  it('stop the chain when all fork below a final block: it is blind and loses nothing', async () => {
    const to = world.watched()
    const follower = world.follow()
    await world.says(null)
    for (const node of world.nodes) node.finalized = 4
    for (let amount = 1n; amount <= 6n; amount++) {
      world.mine([tokenTx(world.token, to, amount)])
      await world.at(world.a)
    }
    expect(world.ledger.stored?.head.finalized).toBe(4)
    const steps = world.ledger.steps.length
    const gone = world.a.chain.rewind(4)
    world.b.chain.rewind(4)
    world.mineMany(6)
    await world.says('reorg_below_finality')
    expect(follower.health().visibility).toBe('blind')
    world.mine()
    await pause(500)
    expect(world.ledger.steps).toHaveLength(steps)
    expect(world.ledger.transfers).toHaveLength(6)
    // The follower still knows the final block after a restart.
    await follower.close()
    world.follow()
    await world.says('reorg_below_finality')
    expect(world.ledger.steps).toHaveLength(steps)
    for (const node of world.nodes) {
      node.chain.rewind(7)
      node.chain.adopt(gone)
    }
    world.mine([tokenTx(world.token, to, 7n)])
    await world.at(world.a)
    expect(world.ledger.transfers.map(({ amount }) => Number(amount))).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ])
  })

  it('cannot make a block final alone, so no other provider is refused because of it', async () => {
    for (const node of world.nodes) node.finalized = 1
    world.follow()
    await world.says(null)
    world.mineMany(6)
    await world.at(world.a)
    // Only a announces the head, so the follower reads from a.
    world.a.finalized = 7
    world.mine([], [world.a])
    await world.at(world.a)
    expect(world.ledger.stored?.head).toMatchObject({ head: 7, finalized: 1 })
    world.a.finalized = 1
    for (const node of world.nodes) node.chain.rewind(node === world.a ? 2 : 1)
    world.mineMany(3)
    await world.at(world.a)
    await world.says(null)
    for (const node of world.nodes) node.finalized = 5
    world.mine()
    await world.at(world.a)
    expect(world.ledger.stored?.head).toMatchObject({ head: 9, finalized: 5 })
  })

  it('are followed onto a branch that forks just above the final block', async () => {
    world.follow()
    await world.says(null)
    for (const node of world.nodes) node.finalized = 2
    world.mineMany(6)
    await world.at(world.a)
    for (const node of world.nodes) node.chain.rewind(4)
    world.mineMany(5)
    await world.at(world.a)
    expect(world.ledger.steps.at(-1)?.head).toMatchObject({ head: 7, finalized: 2 })
    await world.says(null)
  })
})
