import { describe, expect, it } from 'vitest'
import {
  FakeChain,
  fakeTx,
  newAddress,
  tokenTx,
} from '../../../../../test/support/evm/fake-chain.ts'
import { fakeWorld } from '../../../../../test/support/evm/fake-world.ts'

describe('the chain walk', () => {
  const world = fakeWorld()

  const revertedNumbers = (): number[] =>
    world.ledger.steps.flatMap((step) => step.reverted.map(({ number }) => number))

  it('finds a fork by parent hashes alone, without any removed log', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const gone = [1n, 2n, 3n].map((amount) => tokenTx(world.token, to, amount))
    for (const tx of gone) world.node.mine([tx])
    await world.atHead()
    world.node.chain.rewind(3)
    for (let block = 0; block < 3; block++) world.node.chain.mine()
    // Only the last head of the new branch is announced: the rest is found by walking back.
    world.node.mine([tokenTx(world.token, to, 4n)])
    await world.atHead()
    expect(world.ledger.transfers.map(({ amount }) => amount)).toEqual([4n])
    expect(revertedNumbers()).toEqual([3, 2, 1])
    expect(world.ledger.steps.at(-1)?.applied.map(({ block }) => block.number)).toEqual([
      1, 2, 3, 4,
    ])
  })

  it('reverts orphaned blocks of an unfinished step, and reads its canonical ones again', async () => {
    const to = world.watched()
    const before = world.follow()
    await world.atHead()
    await before.close()
    const gone = world.node.chain.mine([tokenTx(world.token, to, 1n)])
    world.node.chain.rewind(1)
    const stays = world.node.chain.mine([tokenTx(world.token, to, 2n)])
    const refs = [gone, stays].map(({ number, hash, parentHash, timestamp }) => ({
      ...{ number, hash, parentHash, minedAt: timestamp * 1_000 },
    }))
    if (world.ledger.stored === null) throw new Error('the chain was begun')
    const unfinished = { isOpen: true, blocks: refs, final: [] }
    world.ledger.stored = { ...world.ledger.stored, unfinished }
    world.follow()
    await world.atHead()
    const step = world.ledger.steps.at(-1)
    expect(step?.reverted.map(({ hash }) => hash)).toEqual([gone.hash])
    expect(step?.applied.map(({ block }) => block.hash)).toEqual([stays.hash])
    expect(step?.unfinished).toEqual(unfinished)
  })

  it('follows a fork of the same height, and then a lower one', async () => {
    world.follow()
    await world.atHead()
    for (let block = 0; block < 4; block++) world.node.mine()
    await world.atHead()
    world.node.chain.rewind(2)
    world.node.chain.mine()
    world.node.mine()
    await world.atHead()
    world.node.chain.rewind(3)
    world.node.mine()
    await world.atHead()
    expect(revertedNumbers()).toEqual([4, 3, 4, 3, 2])
    expect(world.ledger.stored?.head.head).toBe(2)
  })

  it('reports no block of a branch that changed while it was read', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const lost = world.node.chain.mine([tokenTx(world.token, to, 1n)])
    let reorged = false
    world.node.instead = (method) => {
      if (method !== 'eth_getLogs' || reorged) return undefined
      reorged = true
      // Between the block and its logs: the node no longer has the block that it announced.
      world.node.chain.rewind(1)
      world.node.mine([tokenTx(world.token, to, 2n)])
      return []
    }
    world.node.announce(lost)
    await world.atHead()
    expect(world.ledger.transfers.map(({ amount }) => amount).at(-1)).toBe(2n)
    expect(world.ledger.transfers).toHaveLength(1)
  })

  it('applies a branch again when it becomes canonical again', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const tx = tokenTx(world.token, to, 1n)
    world.node.mine([tx])
    await world.atHead()
    const branch = world.node.chain.rewind(1)
    world.node.chain.mine()
    world.node.mine()
    await world.atHead()
    expect(world.ledger.transfers).toEqual([])
    world.node.chain.rewind(2)
    world.node.chain.adopt(branch)
    world.node.chain.mine()
    world.node.mine()
    await world.atHead()
    expect(world.ledger.transfers).toMatchObject([{ txHash: tx.hash }])
  })

  it('reports the same transfer when another block includes the transaction', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const tx = tokenTx(world.token, to, 5n)
    const old = world.node.mine([tx])
    await world.atHead()
    const [before] = world.ledger.transfers
    world.node.chain.rewind(1)
    world.node.chain.mine()
    // Another block and another position in it, so another block-wide log index.
    const others = [1n, 2n].map((amount) => tokenTx(world.token, newAddress(), amount))
    world.node.mine([...others, tx])
    await world.atHead()
    expect(world.ledger.transfers).toEqual([before])
    expect(before).toMatchObject({ txHash: tx.hash, part: 0 })
    expect(world.ledger.applied.some(({ block }) => block.hash === old.hash)).toBe(false)
  })

  it('reports which transactions of a reverted block are pending again', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    const back = tokenTx(world.token, to, 1n)
    const gone = tokenTx(world.token, to, 2n)
    const moved = tokenTx(world.token, to, 3n)
    world.node.mine([back, gone, moved])
    await world.atHead()
    world.node.chain.rewind(1)
    world.node.pool.set(back.hash, back)
    world.node.chain.mine([moved])
    world.node.mine()
    await world.atHead()
    expect([...(world.ledger.steps.at(-1)?.pendingAgain ?? [])]).toEqual([back.hash])
  })

  it('reports pending-again transactions after a restart while the node has the reverted block', async () => {
    const to = world.watched()
    const first = world.follow()
    await world.atHead()
    const back = tokenTx(world.token, to, 1n)
    world.node.mine([back])
    await world.atHead()
    await first.close()
    world.ledger.watch.tracked.add(back.hash)
    world.node.chain.rewind(1)
    world.node.pool.set(back.hash, back)
    world.node.mine()
    world.follow()
    await world.atHead()
    expect([...(world.ledger.steps.at(-1)?.pendingAgain ?? [])]).toEqual([back.hash])
  })

  it('reads on from the cursor in bounded steps, never past an unreadable block', async () => {
    const to = world.watched()
    const first = world.follow()
    await world.atHead()
    await first.close()
    for (let block = 1; block <= 150; block++) {
      world.node.chain.mine(block % 50 === 0 ? [tokenTx(world.token, to, BigInt(block))] : [])
    }
    const failing = world.node.chain.at(100)?.hash
    let broken = true
    world.node.instead = (method, params) => {
      const filter = JSON.stringify(params)
      if (!broken || failing === undefined || !filter.includes(failing)) return undefined
      return method === 'eth_getLogs' ? 'no list' : undefined
    }
    world.follow()
    await world.ledger.until('the node is reported as failing', () =>
      world.ledger.told.some(({ reason }) => reason === 'node_failing'),
    )
    expect(world.ledger.stored?.head.head).toBe(64)
    broken = false
    await world.atHead()
    expect(world.ledger.transfers.map(({ amount }) => amount)).toEqual([50n, 100n, 150n])
    expect(Math.max(...world.ledger.steps.map((step) => step.applied.length))).toBe(64)
  })

  it('stops and is blind at a reorg below every remembered block, and loses nothing', async () => {
    const to = world.watched()
    const follower = world.follow({
      limits: { windowBlocksMin: 8, windowBlocksMax: 8, beginBehindBlocks: 2 },
    })
    await world.atHead()
    world.node.mine([tokenTx(world.token, to, 1n)])
    for (let block = 0; block < 10; block++) world.node.mine()
    await world.atHead()
    const steps = world.ledger.steps.length
    const branch = world.node.chain.rewind(10)
    for (let block = 0; block < 11; block++) world.node.mine()
    await world.ledger.until('the chain has stopped', () =>
      world.ledger.told.some(({ reason }) => reason === 'reorg_too_deep'),
    )
    expect(follower.health()).toMatchObject({ visibility: 'blind', reason: 'reorg_too_deep' })
    expect(world.ledger.steps).toHaveLength(steps)
    expect(world.ledger.transfers).toHaveLength(1)
    // The node was wrong: the follower continues by itself when the chain fits again.
    world.node.chain.rewind(11)
    world.node.chain.adopt(branch)
    world.node.mine()
    await world.atHead()
    expect(world.ledger.transfers).toHaveLength(1)
  })

  it('reverts a deep reorg in one step, and applies the new branch in bounded steps', async () => {
    const to = world.watched()
    world.follow({ limits: { stepBlocksMax: 8 } })
    await world.atHead()
    for (let block = 1; block <= 40; block++) {
      world.node.mine([tokenTx(world.token, to, BigInt(block))])
    }
    await world.atHead()
    world.node.chain.rewind(30)
    for (let block = 0; block < 32; block++) world.node.chain.mine()
    world.node.mine()
    await world.atHead()
    expect(revertedNumbers()).toEqual(Array.from({ length: 30 }, (_, at) => 40 - at))
    expect(world.ledger.steps.filter((step) => step.reverted.length > 0)).toHaveLength(1)
    expect(Math.max(...world.ledger.steps.map((step) => step.applied.length))).toBe(8)
    expect(world.ledger.transfers.map(({ amount }) => Number(amount))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ])
  })

  it('survives a reorg of the head at which it was first started', async () => {
    for (let block = 0; block < 40; block++) world.node.chain.mine()
    world.follow()
    await world.atHead()
    world.node.chain.rewind(5)
    for (let block = 0; block < 6; block++) world.node.mine()
    await world.atHead()
    expect(revertedNumbers()).toEqual([40, 39, 38, 37, 36])
  })

  it('treats a node with an older head as behind, and reverts no block', async () => {
    world.follow()
    await world.atHead()
    for (let block = 0; block < 3; block++) world.node.mine()
    await world.atHead()
    const ahead = world.node.chain.rewind(2)
    await world.ledger.until(
      'the node is reported as behind',
      () => world.ledger.lastHealth?.reason === 'node_behind',
    )
    world.node.chain.adopt(ahead)
    await world.atHead()
    expect(revertedNumbers()).toEqual([])
  })

  it('takes safe and finalized from the node, null before the first, and never lowers them', async () => {
    world.follow()
    await world.atHead()
    world.node.mine()
    await world.atHead()
    expect(world.ledger.stored?.head).toMatchObject({ safe: null, finalized: null })
    for (let block = 0; block < 4; block++) world.node.mine()
    world.node.safe = 4
    world.node.finalized = 2
    world.node.mine()
    await world.atHead()
    expect(world.ledger.stored?.head).toMatchObject({ head: 6, safe: 4, finalized: 2 })
    world.node.knowsTags = false
    world.node.mine()
    await world.atHead()
    expect(world.ledger.stored?.head).toMatchObject({ head: 7, safe: 4, finalized: 2 })
  })

  it('ignores a tag that the chain is not configured with', async () => {
    world.follow({ chain: { tags: ['finalized'] } })
    await world.atHead()
    for (let block = 0; block < 5; block++) world.node.mine()
    world.node.safe = 4
    world.node.finalized = 2
    world.node.mine()
    await world.atHead()
    expect(world.ledger.stored?.head).toMatchObject({ head: 6, safe: null, finalized: 2 })
  })

  it('ignores a tagged block of another branch', async () => {
    world.follow()
    await world.atHead()
    for (let block = 0; block < 3; block++) world.node.mine()
    await world.atHead()
    const elsewhere = new FakeChain('elsewhere')
    const other = elsewhere.mine([fakeTx()])
    world.node.instead = (_, params) =>
      params[0] === 'finalized'
        ? {
            number: '0x2',
            hash: other.hash,
            parentHash: other.parentHash,
            timestamp: '0x1',
            transactions: [],
          }
        : undefined
    world.node.mine()
    await world.atHead()
    expect(world.ledger.stored?.head.finalized).toBeNull()
  })

  it('ignores a tagged block above the head of its node', async () => {
    world.follow()
    await world.atHead()
    const made = new FakeChain('made up', 1_000)
    world.node.instead = (_, params) =>
      params[0] === 'finalized'
        ? {
            ...{ number: '0x3e8', hash: made.head.hash, parentHash: made.head.parentHash },
            ...{ timestamp: '0x1', transactions: [] },
          }
        : undefined
    world.node.mine()
    await world.atHead()
    expect(world.ledger.stored?.head).toMatchObject({ head: 1, finalized: null })
  })

  it('never reports a finalized block beyond what it has read', async () => {
    const first = world.follow()
    await world.atHead()
    await first.close()
    for (let block = 0; block < 100; block++) world.node.chain.mine()
    world.node.finalized = 90
    world.follow()
    await world.atHead()
    const [step] = world.ledger.steps.filter(({ applied }) => applied.length === 64)
    expect(step?.head).toMatchObject({ head: 64, finalized: 64 })
    expect(world.ledger.stored?.head).toMatchObject({ head: 100, finalized: 90 })
    // Each block was asked for once, in the step that needs it.
    const numbers = world.node.asked
      .filter(({ method }) => method === 'eth_getBlockByNumber')
      .map(({ params }) => Number(params[0]))
      .filter((number) => number > 0)
    expect(numbers.toSorted((a, b) => a - b)).toEqual(
      [...new Set(numbers)].toSorted((a, b) => a - b),
    )
  })
})
