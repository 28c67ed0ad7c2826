import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Node, Nodes } from '../support/e2e/nodes.ts'
import { Payer } from '../support/e2e/payer.ts'
import { startServer } from '../support/e2e/server.ts'

const full = 150_000_000n
const request = { amount: '150.00', currency: 'USDC', accept: ['USDC.local'] }
const takeoverMs = 10_000
const hasSucceeded = ({ status }: PaymentIntent): boolean => status === 'succeeded'

let nodes: Nodes

/** Starts two processes: the first follows the chain, the second stands by. */
async function startTwo(): Promise<readonly [Node, Node]> {
  const leader = await nodes.start()
  return [leader, await nodes.start()]
}

const payerOf = ({ server }: Node): Payer => new Payer(server.sandbox)

/** Resolves with the time until this process reports that it sees the chain. */
async function untilSeen({ server, merchant }: Node): Promise<number> {
  const startedAt = Date.now()
  for (;;) {
    const chain = await merchant.chain('local')
    if (chain.visibility === 'ok') return Date.now() - startedAt
    if (Date.now() - startedAt > 30_000) throw new Error(`${chain.reason}\n${server.output()}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

beforeEach(async () => {
  nodes = await Nodes.begin()
})
afterEach(() => nodes.end())

describe('two processes on one database', { timeout: 120_000 }, () => {
  it('watch payments of either process, and both stream all of their events', async () => {
    const [leader, standby] = await startTwo()
    const payer = payerOf(leader)
    for (const [opener, other] of [[leader, standby] as const, [standby, leader] as const]) {
      const intent = await opener.merchant.create(request)
      const streams = await Promise.all(
        [opener, other].map(({ merchant }) => merchant.follow(intent.id)),
      )
      await payer.send(intent, full)
      const told = await Promise.all(streams.map(({ all }) => all))
      const history = await other.merchant.history(intent.id)
      for (const seen of told) {
        expect(seen.map(({ data }) => data.sequence)).toEqual(history.map((one) => one.sequence))
        expect(seen.at(-1)?.data.status).toBe('succeeded')
      }
    }
    for (const node of [leader, standby]) {
      expect(await untilSeen(node)).toBeLessThan(takeoverMs)
    }
  })

  it('lose none of the 120 payments that they open while blocks are mined', async () => {
    const two = await startTwo()
    const payer = payerOf(two[0])
    const opened: PaymentIntent[] = []
    for (let round = 0; round < 30; round++) {
      const intents = await Promise.all(
        [...two, ...two].map(({ merchant }) => merchant.create(request)),
      )
      for (const intent of intents) await payer.send(intent, full)
      opened.push(...intents)
    }
    const [{ merchant }] = two
    await Promise.all(opened.map(({ id }) => merchant.until(id, hasSucceeded)))
  })

  it.each(['the process that follows the chain', 'the standby process'])(
    'survive a kill of %s: the other sees the chain within ten seconds',
    async (which) => {
      const [leader, standby] = await startTwo()
      const [dead, alive] = which.includes('follows') ? [leader, standby] : [standby, leader]
      const payer = payerOf(leader)
      const before = await Promise.all([leader, standby].map((one) => one.merchant.create(request)))
      for (const intent of before) await payer.send(intent, full)
      await dead.server.kill9()
      const killedAt = Date.now()
      // Opened and paid while no process follows the chain.
      const after = await alive.merchant.create(request)
      await payer.send(after, full)
      await alive.merchant.until(after.id, ({ status }) => status !== 'awaiting')
      expect(Date.now() - killedAt).toBeLessThan(takeoverMs)
      for (const { id } of [...before, after]) {
        const paid = await alive.merchant.until(id, hasSucceeded)
        expect(paid).toMatchObject({ amountReceived: '150.00', flags: [] })
        const history = await alive.merchant.history(id)
        expect(history.map(({ sequence }) => sequence)).toEqual(history.map((_, i) => i + 1))
        // Later events of the same status report that it is final.
        const became = history.filter(
          ({ status, previousStatus }) => status === 'succeeded' && previousStatus !== status,
        )
        expect(became).toHaveLength(1)
      }
    },
  )

  it('hand the chain over at once when its follower is stopped cleanly', async () => {
    const [leader, standby] = await startTwo()
    await untilSeen(leader)
    await leader.server.stop()
    expect(await untilSeen(standby)).toBeLessThan(3_500)
  })

  it('continue when one is frozen for longer than its lease, which then stands by', async () => {
    const [leader, standby] = await startTwo()
    const payer = payerOf(leader)
    const intent = await leader.merchant.create(request)
    process.kill(leader.server.pid, 'SIGSTOP')
    await payer.send(intent, full)
    await standby.merchant.until(intent.id, hasSucceeded)
    process.kill(leader.server.pid, 'SIGCONT')
    expect(await leader.merchant.until(intent.id, hasSucceeded)).toMatchObject({ flags: [] })
    // After that it works as standby: the other follows its payments, and it receives their events.
    const next = await leader.merchant.create(request)
    await payer.send(next, full)
    await leader.merchant.until(next.id, hasSucceeded)
    expect(await untilSeen(leader)).toBeLessThan(takeoverMs)
  })

  it('cannot be joined by a third with another pepper, whose error says to copy the file', async () => {
    await nodes.start()
    await expect(startServer({ home: nodes.home(), env: nodes.env })).rejects.toThrow(
      /pepper is not the pepper that the keys of this database were hashed with.+copy it from another server/,
    )
  })

  it('look up transactions through the process that follows the chain', async () => {
    const [leader, standby] = await startTwo()
    const payer = payerOf(leader)
    const intent = await standby.merchant.create(request)
    await payer.rpc('evm_setIntervalMining', [0])
    const txHash = await payer.send(intent, full)
    const answer = await standby.merchant.claim(intent.id, txHash)
    expect(answer).toMatchObject({ known: 'pending', pays: true })
    await payer.rpc('evm_setIntervalMining', [1])
    await standby.merchant.until(intent.id, hasSucceeded)
  })
})
