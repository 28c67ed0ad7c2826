import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../server/src/clock.ts'
import type { Visibility } from '../../server/src/ports/chain.ts'
import { newAddress, tokenTx } from '../support/evm/fake-chain.ts'
import { FakeNode, Refused } from '../support/fake-node.ts'
import { Stack } from './stack.ts'

/** A block every 150 ms, one of them unreadable; the thresholds are shortened in proportion. */
const blockMs = 150
const limits = { unreachableAfterMs: 500, behindAfterMs: 450, blindAfterMs: 1_500 }

describe('a chain whose heads move while one block cannot be read', () => {
  const token = newAddress()
  const price = 150_000_000n
  let node: FakeNode
  let stack: Stack

  beforeEach(async () => {
    node = await FakeNode.start()
    node.chain.secondsAt = () => Math.floor(Date.now() / 1_000)
    const ports = [Number(new URL(node.wsUrl).port)]
    stack = await Stack.start({ ports, chainId: node.chainId, token, limits })
    await stack.at(node.chain.head)
    await stack.at(node.mine())
  })
  afterEach(async () => {
    await stack.close()
    await node.close()
  })

  /** Hides everything of the next block except its header. */
  const spoilNext = (): void => {
    const number = node.chain.head.number + 1
    node.instead = (method, [first]) => {
      if (method.startsWith('eth_getBlockBy')) return undefined
      const spoiled = node.chain.at(number)
      const names = [spoiled?.hash, ...(spoiled?.transactions ?? []).map(({ hash }) => hash)]
      const isOf = names.some((name) => name && JSON.stringify(first ?? '').includes(name))
      return isOf ? new Refused(-32000, 'missing trie node') : undefined
    }
  }
  const sight = () => stack.engine.watcher.chains()[0]
  /** Mines blocks for this time, and returns the reported visibilities. */
  const goOn = async (
    ms: number,
    address: string,
  ): Promise<readonly (Visibility | undefined)[]> => {
    const said: (Visibility | undefined)[] = []
    for (const until = Date.now() + ms; Date.now() < until; ) {
      node.mine([tokenTx(token, address, 1n)])
      await systemClock.sleep(blockMs)
      said.push(sight()?.visibility)
    }
    return said
  }

  it('is blind without expiring payments, and is seen again once the block is readable', async () => {
    const paid = await stack.open({ expiresIn: 2 })
    const unpaid = await stack.open({ expiresIn: 2 })
    const stored = node.chain.head.number
    spoilNext()
    node.mine([tokenTx(token, newAddress(), 1n)])
    // Paid before the deadline, above the unreadable block.
    node.mine([tokenTx(token, paid.address, price)])
    const said = await goOn(5_000, newAddress())
    expect(said.at(-1)).toBe('blind')
    // Once blind it stays blind, also when new heads arrive.
    expect(new Set(said.slice(said.indexOf('blind')))).toEqual(new Set(['blind']))
    expect(said.slice(10)).not.toContain('ok')
    // A pause of this machine can look like a lost socket for a moment.
    await stack.sight('names the block', () => /behind|failing/.test(sight()?.reason ?? ''))
    expect(sight()).toMatchObject({ head: stored, visibility: 'blind' })
    for (const { id } of [paid, unpaid]) {
      const payment = await stack.payment(id)
      const { status } = payment
      expect([status, stack.engine.watcher.visibility(payment)]).toEqual(['awaiting', 'blind'])
    }
    node.instead = () => undefined
    node.mine()
    expect((await stack.status(paid.id, 'succeeded')).flags).toEqual([])
    await stack.status(unpaid.id, 'expired')
    expect((await stack.history(paid.id)).join()).not.toContain('expired')
    await stack.sight('is seen', () => sight()?.visibility === 'ok')
  })

  it('is blind although its node reconnects every few heads', async () => {
    spoilNext()
    const dropping = setInterval(() => node.drop(), 700)
    const said = await goOn(4_000, newAddress())
    clearInterval(dropping)
    expect(said.at(-1)).toBe('blind')
    expect(new Set(said.slice(said.indexOf('blind')))).toEqual(new Set(['blind']))
  })
})
