import { describe, expect, it } from 'vitest'
import { tokenTx } from '../../../../../test/support/evm/fake-chain.ts'
import { fakeWorld } from '../../../../../test/support/evm/fake-world.ts'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('pending transactions of a node', () => {
  const world = fakeWorld()

  const seen = async (amount: bigint): Promise<void> => {
    await world.ledger.until('the payment is reported', () => world.ledger.seen.length > 0)
    expect(world.ledger.seen).toMatchObject([{ part: 'hint', amount }])
  }

  it('are matched without a look-up when the node sends full objects', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    world.node.broadcast(tokenTx(world.token, to, 5n))
    await seen(5n)
    expect(world.node.askedFor('eth_getTransactionByHash')).toBe(0)
  })

  it('are looked up when the node sends hashes instead of objects', async () => {
    const to = world.watched()
    world.node.pendingForm = 'hashes_only'
    world.follow()
    await world.atHead()
    world.node.broadcast(tokenTx(world.token, to, 6n))
    await seen(6n)
  })

  it('are looked up when the node refuses to send objects', async () => {
    const to = world.watched()
    world.node.pendingForm = 'whole_refused'
    world.follow()
    await world.atHead()
    world.node.broadcast(tokenTx(world.token, to, 7n))
    await seen(7n)
  })

  it('are looked up a second time when the node announces a hash too early', async () => {
    const to = world.watched()
    world.node.pendingForm = 'whole_refused'
    world.follow()
    await world.atHead()
    let early = 1
    world.node.instead = (method) => {
      if (method !== 'eth_getTransactionByHash' || early-- <= 0) return undefined
      const [tx] = world.node.pool.values()
      world.node.pool.clear()
      setTimeout(() => tx !== undefined && world.node.pool.set(tx.hash, tx), 20)
      return undefined
    }
    world.node.broadcast(tokenTx(world.token, to, 8n))
    await seen(8n)
  })

  it('are found in their block when the node shows no pending transactions', async () => {
    const to = world.watched()
    world.node.pendingForm = 'none'
    world.follow()
    await world.atHead()
    const tx = tokenTx(world.token, to, 8n)
    world.node.broadcast(tx)
    world.node.mine([tx])
    await world.atHead()
    expect(world.ledger.seen).toEqual([])
    expect(world.ledger.transfers).toMatchObject([{ txHash: tx.hash }])
  })

  it('are looked up a limited number at a time, and a flood drops the oldest', async () => {
    const to = world.watched()
    world.node.pendingForm = 'whole_refused'
    world.follow({ limits: { laterInFlightMax: 4, waitingMax: 10 } })
    await world.atHead()
    // The pending transactions from before are read first, within the same limits.
    await pause(200)
    let release: () => void = () => undefined
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined)
    })
    world.node.instead = (method) => (method === 'eth_getTransactionByHash' ? held : undefined)
    for (let amount = 1n; amount <= 30n; amount++) {
      world.node.broadcast(tokenTx(world.token, to, amount))
    }
    await world.ledger.until(
      'four look-ups are sent',
      () => world.node.askedFor('eth_getTransactionByHash') > 0,
    )
    await pause(100)
    expect(world.node.askedFor('eth_getTransactionByHash')).toBe(4)
    release()
    await world.ledger.until('the others are looked up', () => world.ledger.seen.length === 14)
    expect(world.ledger.seen.map(({ amount }) => Number(amount)).toSorted((a, b) => a - b)).toEqual(
      [1, 2, 3, 4, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30],
    )
  })
})
