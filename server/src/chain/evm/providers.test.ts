import { describe, expect, it } from 'vitest'
import { tokenTx } from '../../../../test/support/evm/fake-chain.ts'
import { fleetWorld } from '../../../../test/support/evm/fleet-world.ts'
import { Refused, silence } from '../../../../test/support/fake-node.ts'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('failover between two providers', () => {
  const world = fleetWorld(2)

  it('loses no event when one provider dies, and takes the next head from the other', async () => {
    const to = world.watched()
    world.follow()
    await world.says(null)
    const blockMs = 100
    for (let block = 1; block <= 20; block++) {
      if (block === 10) await world.a.close()
      const nodes = block < 10 ? world.nodes : [world.b]
      world.mine([tokenTx(world.token, to, BigInt(block))], nodes)
      const before = Date.now()
      await world.at(world.b)
      expect(Date.now() - before).toBeLessThan(2 * blockMs)
      await pause(10)
    }
    expect(world.ledger.transfers.map(({ amount }) => Number(amount))).toEqual(
      Array.from({ length: 20 }, (_, at) => at + 1),
    )
    expect(world.ledger.lastHealth).toMatchObject({
      visibility: 'degraded',
      reason: 'provider_down',
    })
    expect(world.ledger.steps.at(-1)).toMatchObject({ source: 'rpc:b', head: { witnesses: 1 } })
  })

  it('switches to the other provider at once when one dies during a read', async () => {
    const to = world.watched()
    world.follow()
    await world.says(null)
    // Only a announces the head, so the follower reads from a first.
    world.a.instead = (method) => {
      if (method === 'eth_getLogs') world.a.drop()
      return undefined
    }
    const block = world.mine([tokenTx(world.token, to, 7n)], [world.a])
    world.b.chain.adopt([block])
    world.b.announce(block)
    await world.at(world.b)
    expect(world.ledger.steps.at(-1)?.source).toBe('rpc:b')
    expect(world.ledger.transfers.map(({ amount }) => amount)).toEqual([7n])
  })

  it('switches to the other provider when one refuses, and tries it again later', async () => {
    const to = world.watched()
    world.follow({ limits: { stableAfterMs: 500, refusedWithinMs: 40 } })
    await world.says(null)
    world.a.instead = (method) =>
      /Logs|Receipt/.test(method) ? new Refused(-32005, 'too many requests') : undefined
    world.b.instead = world.a.instead
    world.mine([tokenTx(world.token, to, 1n)])
    await world.says('node_failing')
    world.b.instead = () => undefined
    for (let amount = 2n; amount <= 4n; amount++) {
      world.mine([tokenTx(world.token, to, amount)])
      await world.at(world.b)
      expect(world.ledger.steps.at(-1)?.source).toBe('rpc:b')
    }
    expect(world.ledger.transfers.map(({ amount }) => amount)).toEqual([1n, 2n, 3n, 4n])
    world.a.instead = () => undefined
    await world.ledger.until('the chain is fully visible', () => {
      if (world.ledger.lastHealth?.reason === null) return true
      world.mine()
      return false
    })
  })

  it('clears the failures of a provider that answers, even when no block comes', async () => {
    const to = world.watched()
    world.follow({ limits: { stableAfterMs: 500, refusedWithinMs: 40 } })
    await world.says(null)
    world.a.instead = (method) =>
      /Logs|Receipt/.test(method) ? new Refused(-32005, '') : undefined
    world.b.instead = world.a.instead
    world.mine([tokenTx(world.token, to, 1n)])
    await world.says('node_failing')
    world.b.instead = () => undefined
    await world.at(world.b)
    world.a.instead = () => undefined
    await world.says(null)
  })

  it('waits no longer than its patience for a provider that stopped answering', async () => {
    const to = world.watched()
    world.follow({ limits: { patienceMs: 50, answerWithinMs: 5_000, pingEveryMs: 10_000 } })
    await world.says(null)
    world.a.instead = () => silence
    const before = Date.now()
    world.mine([tokenTx(world.token, to, 7n)])
    await world.at(world.b)
    expect(Date.now() - before).toBeLessThan(1_000)
    expect(world.ledger.transfers.map(({ amount }) => amount)).toEqual([7n])
    expect(world.ledger.steps.at(-1)?.source).toBe('rpc:b')
  })

  it('switches to the other provider when the block times of one are invalid', async () => {
    const to = world.watched()
    world.follow()
    await world.says(null)
    const late = { timestamp: '0x1fffffffffffff' }
    world.a.instead = (method, [at]) => {
      const { chain } = world.a
      const block =
        method === 'eth_getBlockByHash' ? chain.byHash(String(at)) : chain.at(Number(at))
      if (!method.startsWith('eth_getBlockBy') || block === undefined) return undefined
      const { hash, parentHash, logsBloom } = block
      const number = `0x${block.number.toString(16)}`
      return { ...late, number, hash, parentHash, logsBloom, transactions: [] }
    }
    const block = world.mine([tokenTx(world.token, to, 7n)], [world.a])
    world.a.announce(block, late)
    world.b.chain.adopt([block])
    world.b.announce(block)
    await world.at(world.b)
    expect(world.ledger.transfers.map(({ amount }) => amount)).toEqual([7n])
  })

  it('gives up a silent provider as soon as the other one has the block too', async () => {
    const to = world.watched()
    world.follow({ limits: { patienceMs: 50, answerWithinMs: 5_000, pingEveryMs: 10_000 } })
    await world.says(null)
    world.a.instead = () => silence
    const block = world.mine([tokenTx(world.token, to, 7n)], [world.a])
    await pause(300)
    const before = Date.now()
    world.b.chain.adopt([block])
    world.b.announce(block)
    await world.at(world.b)
    expect(Date.now() - before).toBeLessThan(500)
    expect(world.ledger.steps.at(-1)?.source).toBe('rpc:b')
  })

  it('reads from slow providers, since its patience grows when all are slow', async () => {
    const to = world.watched()
    world.follow({ limits: { patienceMs: 20 } })
    await world.says(null)
    for (const node of world.nodes) {
      node.instead = (method) =>
        method === 'eth_getLogs' ? pause(150).then(() => undefined) : undefined
    }
    for (let amount = 1n; amount <= 3n; amount++) world.mine([tokenTx(world.token, to, amount)])
    await world.at(world.b)
    expect(world.ledger.transfers.map(({ amount }) => amount)).toEqual([1n, 2n, 3n])
  })

  it('is blind only while no provider is connected', async () => {
    world.follow({ limits: { unreachableAfterMs: 100 } })
    await world.says(null)
    const port = Number(new URL(world.b.wsUrl).port)
    expect(port).toBeGreaterThan(0)
    await world.a.close()
    await world.says('provider_down')
    expect(world.ledger.lastHealth?.visibility).toBe('degraded')
    world.b.instead = () => silence
    world.b.drop()
    await world.ledger.until('blind', () => world.ledger.lastHealth?.visibility === 'blind')
    expect(world.ledger.lastHealth?.reason).toBe('socket_down')
    world.b.instead = () => undefined
    await world.says('provider_down')
    expect(world.ledger.lastHealth?.visibility).toBe('degraded')
    expect(world.score('b')?.reconnects).toBeGreaterThan(0)
  })
})

describe('the heads of several providers', () => {
  const world = fleetWorld(3)

  it('do not cause a reorg when one provider is behind', async () => {
    world.follow()
    await world.says(null)
    const [, , c] = world.nodes
    world.mineMany(6, [world.a, world.b])
    await world.at(world.a)
    await world.says('provider_behind')
    // It shows an older head of the same chain: no block is reverted for it.
    const old = world.a.chain.at(2)
    if (c === undefined || old === undefined) throw new Error('there are three nodes')
    c.chain.adopt([1, 2].flatMap((number) => world.a.chain.at(number) ?? []))
    c.announce(old)
    await pause(100)
    world.mine([], [world.a, world.b])
    await world.at(world.a)
    expect(world.ledger.steps.flatMap(({ reverted }) => reverted)).toEqual([])
    expect(world.ledger.steps.at(-1)?.head).toMatchObject({ witnesses: 2, disagree: false })
    expect(world.score('c')).toMatchObject({ reason: 'provider_behind', head: 2, lagBlocks: 5 })
    expect(world.score('a')).toMatchObject({ visibility: 'ok', lagBlocks: 0 })
  })

  it('count as witnesses while recent, even when one provider runs far ahead', async () => {
    const to = world.watched()
    world.follow()
    await world.says(null)
    const now = { timestamp: `0x${Math.floor(Date.now() / 1_000).toString(16)}` }
    const block = world.mine()
    for (const node of world.nodes.slice(1)) node.announce(block, now)
    await world.at(world.a)
    await pause(100)
    // Blocks that no other provider has, made faster than a chain makes them.
    world.mine([tokenTx(world.token, to, 1n)], [world.a])
    world.mineMany(12, [world.a])
    await world.at(world.a)
    expect(world.ledger.steps.at(-1)?.head).toMatchObject({ witnesses: 3 })
    expect(world.score('b')).toMatchObject({ reason: 'provider_behind' })
  })

  it('include providers that are still connecting after a start as witnesses', async () => {
    const to = world.watched()
    const before = world.follow()
    await world.says(null)
    await before.close()
    for (const node of world.nodes.slice(1)) {
      node.instead = (method) => (method === 'eth_chainId' ? pause(1_000) : undefined)
    }
    world.mine([tokenTx(world.token, to, 1n)])
    world.follow()
    await world.at(world.a)
    expect(world.ledger.steps.at(-1)).toMatchObject({ source: 'rpc:a', head: { witnesses: 3 } })
  })

  it('cause one step when several providers announce the same head', async () => {
    world.follow()
    await world.says(null)
    for (let block = 0; block < 5; block++) {
      world.mine()
      await world.at(world.a)
    }
    expect(world.ledger.steps).toHaveLength(5)
    expect(world.ledger.steps.at(-1)?.head.witnesses).toBe(3)
  })

  it('decide by majority which branch is followed, also back', async () => {
    const to = world.watched()
    world.follow()
    await world.says(null)
    world.mine()
    await world.at(world.a)
    const [, , c] = world.nodes
    if (c === undefined) throw new Error('there are three nodes')
    // One provider alone, and faster, on its own branch.
    world.mine([tokenTx(world.token, to, 1n)], [world.a, world.b])
    c.chain.mine([tokenTx(world.token, to, 2n)])
    c.mine()
    await world.at(world.a)
    await pause(100)
    expect(world.ledger.transfers.map(({ amount }) => amount)).toEqual([1n])
    // Now b switches to that branch.
    world.b.chain.rewind(1)
    world.b.chain.adopt([2, 3].flatMap((number) => c.chain.at(number) ?? []))
    world.b.announce(world.b.chain.head)
    await world.at(c)
    expect(world.ledger.transfers.map(({ amount }) => amount)).toEqual([2n])
  })
})

describe('providers that disagree', () => {
  const world = fleetWorld(2)
  const chain = { toleratedDepth: 1 }

  it('at the head only, by a short fork, are not reported', async () => {
    world.follow({ chain })
    await world.says(null)
    world.mine()
    await world.at(world.a)
    world.mine([], [world.a])
    world.mine([], [world.b])
    await pause(150)
    expect(world.ledger.told.map(({ reason }) => reason)).not.toContain('sources_disagree')
    expect(world.score('a')?.disagreements).toBe(0)
  })

  it('deeper than tolerated are reported in health and each step until they agree again', async () => {
    world.follow({ chain })
    await world.says(null)
    world.mine()
    await world.at(world.a)
    world.mineMany(3, [world.a])
    world.mineMany(3, [world.b])
    await world.says('sources_disagree')
    expect(world.ledger.lastHealth?.visibility).toBe('degraded')
    await world.ledger.until('block 4 is stored', () => world.ledger.stored?.head.head === 4)
    const { source = '' } = world.ledger.steps.at(-1) ?? {}
    const [kept, left] = source === 'rpc:a' ? [world.a, world.b] : [world.b, world.a]
    // In a tie the follower stays on its branch.
    world.mine([], [kept])
    await world.at(kept)
    expect(world.ledger.steps.at(-1)?.head).toMatchObject({ disagree: true, witnesses: 2 })
    expect(world.ledger.steps.flatMap(({ reverted }) => reverted)).toEqual([])
    expect(world.score('b')?.disagreements).toBe(1)
    left.chain.rewind(3)
    left.chain.adopt([2, 3, 4, 5].flatMap((number) => kept.chain.at(number) ?? []))
    left.announce(left.chain.head)
    await world.says(null)
    world.mine()
    await world.at(world.a)
    expect(world.ledger.steps.at(-1)?.head.disagree).toBe(false)
  })

  it('are resolved to the branch of the remaining provider when the other dies', async () => {
    world.follow({ chain })
    await world.says(null)
    world.mineMany(3, [world.a])
    await world.at(world.a)
    world.mineMany(5, [world.b])
    await pause(100)
    await world.at(world.a)
    await world.a.close()
    await world.at(world.b)
    expect(world.ledger.steps.at(-1)?.source).toBe('rpc:b')
  })
})
