import type { SeenTransfer } from '@settlewire/core/payment/observation'
import { describe, expect, it } from 'vitest'
import {
  fakeTx,
  nativeTx,
  newAddress,
  tokenTx,
  transferLog,
} from '../../../../../test/support/evm/fake-chain.ts'
import { fleetWorld } from '../../../../../test/support/evm/fleet-world.ts'
import { Refused, silence } from '../../../../../test/support/fake-node.ts'
import type { FollowerLimits } from '../node/limits.ts'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('an inclusion with several providers', () => {
  const world = fleetWorld(3)
  const limits = { corroborateWithinMs: 500 }
  /** A follower of all three nodes, a watched address, and the node whose answers tests change. */
  const begin = async (more: Partial<FollowerLimits> = limits) => {
    const to = world.watched()
    world.follow({ limits: more })
    await world.says(null)
    const [, , c] = world.nodes
    if (c === undefined) throw new Error('there are three nodes')
    return { to, c }
  }

  const sourcesOf = (txHash: string): readonly string[] =>
    world.ledger.applied.flatMap((block) => block.sources?.get(txHash) ?? []).toSorted()
  const later = (txHash: string): readonly string[] =>
    world.ledger.corroborations
      .filter((inclusion) => inclusion.txHash === txHash)
      .map(({ source }) => source)
      .toSorted()
  const all = (txHash: string) => [...sourcesOf(txHash), ...later(txHash)].toSorted()
  // A vote may be reported again once a provider denies the inclusion.
  const shownBy = (txHash: string) => [...new Set(all(txHash))]
  const byAll = ['rpc:a', 'rpc:b', 'rpc:c']

  it('lists every provider that showed the same receipt in time, first the source of the step', async () => {
    const to = world.watched()
    world.ledger.watch.wantsNative = true
    world.follow({ limits })
    await world.says(null)
    const token = tokenTx(world.token, to, 5n)
    const coin = nativeTx(to, 6n)
    world.mine([token, coin])
    await world.at(world.a)
    await world.ledger.until('all providers have shown both', () => all(coin.hash).length === 3)
    expect(all(token.hash)).toEqual(byAll)
    expect(all(coin.hash)).toEqual(byAll)
    const [step] = world.ledger.steps
    const sources = step?.applied.at(-1)?.sources
    expect(sources?.get(token.hash)?.[0]).toBe(step?.source)
    expect(sources?.size).toBe(2)
  })

  it('is reported once as corroborated by a provider that shows it later', async () => {
    const { to, c } = await begin({ corroborateWithinMs: 20 })
    const tx = tokenTx(world.token, to, 5n)
    const block = world.mine([tx], [world.a, world.b])
    await world.at(world.a)
    await world.ledger.until('two providers show it', () => all(tx.hash).length === 2)
    expect(all(tx.hash)).toEqual(['rpc:a', 'rpc:b'])
    c.chain.adopt([block])
    c.announce(block)
    await world.ledger.until('the third provider shows it', () => all(tx.hash).length === 3)
    const [told] = world.ledger.corroborations.filter(({ source }) => source === 'rpc:c')
    const [transfer] = world.ledger.transfers
    expect(told).toMatchObject({
      txHash: tx.hash,
      block: { hash: block.hash },
      transfers: [transfer],
    })
    world.mineMany(3)
    await world.at(world.a)
    await pause(50)
    expect(all(tx.hash)).toEqual(byAll)
  })

  it('is stored without waiting for a slow provider, whose answer still counts later', async () => {
    const { to, c } = await begin({ corroborateWithinMs: 50 })
    const slow = (method: string) =>
      method === 'eth_getTransactionReceipt' ? pause(300).then(() => undefined) : undefined
    c.instead = slow
    const tx = tokenTx(world.token, to, 5n)
    const before = Date.now()
    // The slow node is the last to announce the block, so the follower does not read from it.
    world.mine([tx], [world.a, world.b])
    c.chain.adopt([world.a.chain.head])
    c.announce(c.chain.head)
    await world.at(world.a)
    expect(Date.now() - before).toBeLessThan(250)
    await world.ledger.until('the slow answer arrives', () => all(tx.hash).length === 3)
  })

  it.each([
    ['confirms it', {}],
    ['names another block', { blockHash: `0x${'9'.repeat(64)}` }],
    ['has a failed status', { status: '0x0' }],
    ['has no logs', { logs: [] }],
  ])('counts a provider whose receipt %s only if it confirms the inclusion', async (_what, lie) => {
    const { to, c } = await begin()
    const tx = tokenTx(world.token, to, 5n)
    c.instead = (method) => {
      if (method !== 'eth_getTransactionReceipt') return undefined
      const { hash: blockHash } = c.chain.head
      const told = { blockHash, transactionHash: tx.hash, logIndex: '0x0', removed: false }
      const logs = tx.logs.map((log) => ({ ...log, ...told }))
      return { transactionHash: tx.hash, status: '0x1', blockHash, logs, ...lie }
    }
    world.mine([tx], [world.a, world.b])
    await world.at(world.a)
    c.chain.adopt([world.a.chain.head])
    c.announce(c.chain.head)
    await world.ledger.until('it was asked', () => c.askedFor('eth_getTransactionReceipt') > 0)
    await pause(100)
    const isTrue = Object.keys(lie).length === 0
    expect(shownBy(tx.hash)).toEqual(isTrue ? byAll : ['rpc:a', 'rpc:b'])
  })

  it('is reported once as denied by a provider with the block, until that provider shows it', async () => {
    const { to, c } = await begin()
    const tx = tokenTx(world.token, to, 5n)
    c.instead = (method) => {
      if (method !== 'eth_getTransactionReceipt') return undefined
      const { hash: blockHash } = block
      return { transactionHash: tx.hash, status: '0x0', blockHash, logs: [] }
    }
    const block = world.mine([tx], [world.a, world.b])
    await world.at(world.a)
    c.chain.adopt([block])
    c.announce(block)
    await world.ledger.until('it is denied', () => world.ledger.denials.length > 0)
    world.mineMany(3)
    await world.at(world.a)
    await pause(50)
    expect(world.ledger.denials).toHaveLength(1)
    expect(world.ledger.denials[0]).toMatchObject({
      source: 'rpc:c',
      txHash: tx.hash,
      block: { hash: block.hash },
    })
    expect(world.score('c')?.disagreements).toBe(1)
    // The providers that show it are reported again, so that they are counted against the denial.
    expect(later(tx.hash)).toEqual(expect.arrayContaining(['rpc:a', 'rpc:b']))
    c.instead = () => undefined
    world.mine()
    await world.ledger.until('c shows it', () => later(tx.hash).includes('rpc:c'))
  })

  it('is denied with the step itself when the denial comes in time', async () => {
    const { to, c } = await begin()
    c.instead = (method) => {
      if (method !== 'eth_getTransactionReceipt') return undefined
      const { hash: blockHash } = c.chain.head
      return { transactionHash: tx.hash, status: '0x0', blockHash, logs: [] }
    }
    const tx = tokenTx(world.token, to, 5n)
    c.chain.adopt([world.mine([tx], [world.a, world.b])])
    c.announce(c.chain.head)
    await world.at(world.a)
    const denied = world.ledger.applied.flatMap(({ deniedBy }) => deniedBy?.get(tx.hash) ?? [])
    const told = world.ledger.denials.map(({ source }) => source)
    expect([...denied, ...told]).toEqual(['rpc:c'])
  })

  it('is not corroborated by a log with another amount or recipient at its index', async () => {
    const { to, c } = await begin()
    const first = transferLog(world.token, newAddress(), 1n)
    const tx = fakeTx({ logs: [first, transferLog(world.token, to, 5n)] })
    const block = world.mine([tx], [world.a, world.b])
    await world.at(world.a)
    // The same transaction in the same block, with another second log.
    const other = { ...tx, logs: [first, { ...first, topics: [...first.topics] }] }
    c.chain.adopt([{ ...block, transactions: [other] }])
    c.announce(block)
    await world.ledger.until('it was asked', () => c.askedFor('eth_getTransactionReceipt') > 0)
    await pause(100)
    expect(shownBy(tx.hash)).toEqual(['rpc:a', 'rpc:b'])
  })

  it('is asked about again until the provider shows it or the block is reverted', async () => {
    const { to, c } = await begin()
    c.instead = (method) =>
      method === 'eth_getTransactionReceipt'
        ? new Refused(-32000, 'transaction not found')
        : undefined
    const tx = tokenTx(world.token, to, 5n)
    world.mine([tx], [world.a, world.b])
    c.chain.adopt([world.a.chain.head])
    await world.at(world.a)
    world.mineMany(2)
    await world.ledger.until(
      'it was asked again',
      () => c.askedFor('eth_getTransactionReceipt') > 1,
    )
    expect(later(tx.hash)).not.toContain('rpc:c')
    for (const node of world.nodes) node.chain.rewind(3)
    world.mineMany(4)
    await world.at(world.a)
    await pause(50)
    const asked = c.askedFor('eth_getTransactionReceipt')
    c.instead = () => undefined
    world.mineMany(2)
    await world.at(world.a)
    await pause(400)
    expect(c.askedFor('eth_getTransactionReceipt')).toBe(asked)
    expect(later(tx.hash)).not.toContain('rpc:c')
  })

  it('costs one receipt request per provider, whether logs or receipt were requested first', async () => {
    const { to } = await begin()
    const tx = tokenTx(world.token, to, 5n)
    world.mine([tx])
    await world.at(world.a)
    await world.ledger.until('all providers have shown it', () => all(tx.hash).length === 3)
    world.mineMany(3)
    await world.at(world.a)
    await pause(100)
    expect(world.nodes.map((node) => node.askedFor('eth_getTransactionReceipt'))).toEqual([1, 1, 1])
  })

  it('is asked about after a restart even without a receipt of its own: a balance, or a sum', async () => {
    const to = world.watched()
    const first = world.follow({ limits })
    await world.says(null)
    const txs = [1n, 2n, 3n].map((amount) => tokenTx(world.token, to, amount))
    const { number, hash, parentHash, timestamp } = world.mine(txs)
    await world.at(world.a)
    await first.close()
    const block = { number, hash, parentHash, minedAt: timestamp * 1_000 }
    const [transfer] = world.ledger.transfers
    if (transfer === undefined) throw new Error('it pays')
    const balance = { txHash: `balance:${hash}:${to}`, block }
    const sum = { txHash: `small:${hash}`, block }
    world.ledger.watch.inclusions = () => [
      { ...balance, transfers: [{ ...transfer, part: 'balance', token: null }] },
      { ...sum, transfers: [{ ...transfer, part: `sum:${world.token}:${to}` }] },
    ]
    world.ledger.corroborations.splice(0)
    world.follow({ limits })
    for (const txHash of [balance.txHash, ...txs.map((tx) => tx.hash)]) {
      await world.ledger.until('all providers have shown it', () => later(txHash).length === 3)
      expect(later(txHash)).toEqual(byAll)
    }
    expect(later(sum.txHash)).toEqual([])
  })

  it('is asked about at every provider after a restart, since earlier votes are not stored', async () => {
    const to = world.watched()
    const first = world.follow({ limits })
    await world.says(null)
    const tx = tokenTx(world.token, to, 5n)
    world.mine([tx])
    world.mineMany(20)
    await world.at(world.a)
    await first.close()
    world.ledger.watch.tracked.add(tx.hash)
    world.ledger.corroborations.splice(0)
    world.follow({ limits })
    await world.ledger.until('all providers have shown it', () => later(tx.hash).length === 3)
    expect(later(tx.hash)).toEqual(byAll)
    const [told] = world.ledger.corroborations
    expect(told?.transfers).toEqual(world.ledger.transfers)
  })
})

describe('questions to all providers', () => {
  const world = fleetWorld(2)

  it('reports a transaction as unknown only when every configured provider answered so', async () => {
    const follower = world.follow()
    await world.says(null)
    const { hash } = tokenTx(world.token, world.watched(), 1n)
    expect(await follower.lookUp(hash)).toEqual({ kind: 'not_found' })
    world.b.instead = (method) =>
      method === 'eth_getTransactionReceipt' ? new Refused(-32000, 'busy') : undefined
    expect(await follower.lookUp(hash)).toEqual({ kind: 'unsure' })
    world.b.instead = () => silence
    world.b.drop()
    await world.says('provider_down')
    expect(await follower.lookUp(hash)).toEqual({ kind: 'unsure' })
  })

  it('takes the answer of one provider that knows a transaction, a block before a pool', async () => {
    const to = world.watched()
    const follower = world.follow()
    await world.says(null)
    const tx = tokenTx(world.token, to, 1n)
    world.b.pool.set(tx.hash, tx)
    const pending = await follower.lookUp(tx.hash)
    expect(pending).toMatchObject({
      ...{ kind: 'pending', source: 'rpc:b' },
      sighting: {
        txHash: tx.hash,
        transfer: { to, amount: 1n },
        contest: { key: `${tx.from} ${tx.nonce}` },
      },
    })
    const block = world.a.chain.mine([tx])
    expect(await follower.lookUp(tx.hash)).toEqual({
      ...{ kind: 'mined', source: 'rpc:a', blockNumber: block.number },
      ...{ blockHash: block.hash, succeeded: true, pays: true, paid: [to] },
    })
    const stranger = tokenTx(world.token, newAddress(), 1n)
    world.b.pool.set(stranger.hash, stranger)
    world.a.instead = () => silence
    world.a.drop()
    await world.says('provider_down')
    expect(await follower.lookUp(stranger.hash)).toMatchObject({ kind: 'pending', sighting: null })
  })

  it('reports a pending transaction for each provider, and scores the first', async () => {
    const to = world.watched()
    world.follow()
    await world.says(null)
    const tx = tokenTx(world.token, to, 1n)
    world.b.broadcast(tx)
    await world.ledger.until('it is reported', () => world.ledger.sightings.length === 1)
    world.a.broadcast(tx)
    await world.ledger.until('it is reported again', () => world.ledger.sightings.length === 2)
    expect(world.ledger.sightings.map(({ source }) => source)).toEqual(['rpc:b', 'rpc:a'])
    const [seen] = world.ledger.seen as readonly SeenTransfer[]
    expect(seen).toMatchObject({ txHash: tx.hash, amount: 1n })
    expect([world.score('a')?.firstSeen, world.score('b')?.firstSeen]).toEqual([0, 1])
  })

  it('reports `replaced` when another transaction used the nonce', async () => {
    const to = world.watched()
    world.follow()
    await world.says(null)
    const gone = tokenTx(world.token, to, 1n)
    const mined = tokenTx(world.token, to, 2n)
    const { tracked, contests } = world.ledger.watch
    for (const tx of [gone, mined]) {
      tracked.add(tx.hash)
      contests.set(tx.hash, { txHash: tx.hash, key: `${tx.from} ${tx.nonce}` })
    }
    world.mine()
    await world.at(world.a)
    expect(world.ledger.movedNothing).toEqual([])
    for (const node of world.nodes) {
      node.state.usedUp.set(gone.from, gone.nonce + 1)
      node.state.usedUp.set(mined.from, mined.nonce + 1)
    }
    world.mine([mined])
    await world.at(world.a)
    expect(world.ledger.movedNothing).toEqual([{ txHash: gone.hash, reason: 'replaced' }])
    expect(world.ledger.transfers.map(({ txHash }) => txHash)).toEqual([mined.hash])
  })

  it('counts empty log answers that proved wrong', async () => {
    const to = world.watched()
    world.follow()
    await world.says(null)
    let lies = 1
    world.a.instead = (method) => (method === 'eth_getLogs' && lies-- > 0 ? [] : undefined)
    world.mine([tokenTx(world.token, to, 1n)], [world.a])
    await world.at(world.a)
    expect(world.score('a')).toMatchObject({ logsAsked: 1, logsEmpty: 1 })
    expect(world.ledger.transfers).toHaveLength(1)
  })
})
