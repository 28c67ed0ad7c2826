import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../../../test/support/anvil.ts'
import { ChainLevers } from './chain-levers.ts'
import { rpcAt, textOf } from './rpc.ts'

let anvil: Anvil
let levers: ChainLevers

beforeAll(async () => {
  anvil = await startAnvil({ args: ['--no-mining', '--hardfork', 'cancun'] })
  levers = new ChainLevers(rpcAt(anvil.rpcUrl))
})

afterAll(() => anvil.stop())

beforeEach(() => levers.mine(3))

const receiver = `0x${'cd'.repeat(20)}`
const send = (): Promise<string> =>
  textOf(
    anvil.rpc('eth_sendTransaction', [{ from: anvil.accounts[0], to: receiver, value: '0x1' }]),
  )
interface Receipt {
  readonly blockHash: string
  readonly blockNumber: string
}
const receipt = (hash: string) => anvil.rpc<Receipt | null>('eth_getTransactionReceipt', [hash])
const hashAt = async (number: number): Promise<string> => {
  const block = await anvil.rpc<{ hash: string }>('eth_getBlockByNumber', [
    `0x${number.toString(16)}`,
    false,
  ])
  return block.hash
}

describe('the chain’s levers', () => {
  it('mine the requested blocks, with pending transactions in the first', async () => {
    const before = await levers.head()
    const hash = await send()
    const after = await levers.mine(40)
    expect(after.head).toBe(before.head + 40)
    expect(Number((await receipt(hash))?.blockNumber)).toBe(before.head + 1)
  })

  it('reorg exactly to the depth: same height, other blocks, without transactions', async () => {
    const hash = await send()
    await levers.mine(1)
    const before = await levers.head()
    const old = [await hashAt(before.head - 2), await hashAt(before.head - 3)]
    const after = await levers.reorg(3, false)
    expect(after.head).toBe(before.head)
    expect(after.hash).not.toBe(before.hash)
    expect(await hashAt(before.head - 2)).not.toBe(old[0])
    expect(await hashAt(before.head - 3)).toBe(old[1])
    expect(await receipt(hash)).toBeNull()
    expect(await anvil.rpc('eth_getTransactionByHash', [hash])).toBeNull()
  })

  it('reorg empty blocks too: all get other hashes, each time', async () => {
    const { head } = await levers.mine(4)
    const seen = new Set([await hashAt(head), await hashAt(head - 1)])
    for (const keep of [false, true, false]) {
      await levers.reorg(2, keep)
      for (const number of [head, head - 1]) seen.add(await hashAt(number))
    }
    expect(seen.size).toBe(8)
  })

  it('reorg without setting the clock of the chain back', async () => {
    const timeOfHead = async (): Promise<number> => {
      const block = await anvil.rpc<{ timestamp: string }>('eth_getBlockByNumber', [
        'latest',
        false,
      ])
      return Number(block.timestamp)
    }
    await anvil.rpc('evm_increaseTime', [60])
    await levers.mine(1)
    const before = await timeOfHead()
    await levers.reorg(2, false)
    await levers.mine(1)
    expect(await timeOfHead()).toBeGreaterThanOrEqual(before)
  })

  it('reorg with keep: the same transactions in other blocks, in the same order', async () => {
    const hashes = [await send(), await send()]
    await levers.mine(1)
    hashes.push(await send())
    const { head } = await levers.mine(1)
    const before = await Promise.all(hashes.map(receipt))
    await levers.reorg(2, true)
    const after = await Promise.all(hashes.map(receipt))
    expect(after.map((one) => Number(one?.blockNumber))).toEqual([head - 1, head - 1, head])
    for (const [i, one] of after.entries()) expect(one?.blockHash).not.toBe(before[i]?.blockHash)
  })

  it('reorg a single block', async () => {
    const hash = await send()
    const before = await levers.mine(1)
    const after = await levers.reorg(1, true)
    expect(after.hash).not.toBe(before.hash)
    expect((await receipt(hash))?.blockHash).toBe(after.hash)
  })

  it('keep pending transactions in the pool during a reorg', async () => {
    const hash = await send()
    await levers.reorg(2, true)
    expect(await anvil.rpc('eth_getTransactionByHash', [hash])).toMatchObject({ blockHash: null })
    await levers.mine(1)
    expect(await receipt(hash)).not.toBeNull()
  })

  it('refuse a reorg deeper than the chain, naming its number of blocks', async () => {
    const { head } = await levers.head()
    const asked = levers.reorg(head, false)
    await expect(asked).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(asked).rejects.toThrow(String(head))
    expect(await levers.head()).toMatchObject({ head })
  })
})

describe('the levers of a chain that mines by itself', () => {
  let mining: Anvil

  beforeAll(async () => {
    mining = await startAnvil({ blockTime: 1, args: ['--hardfork', 'cancun'] })
  })
  afterAll(() => mining.stop())

  const block = (number: number) =>
    mining.rpc<{ number: string; hash: string; parentHash: string }>('eth_getBlockByNumber', [
      `0x${number.toString(16)}`,
      false,
    ])

  it('keep every block linked to its parent during parallel reorgs', async () => {
    const pulled = new ChainLevers(rpcAt(mining.rpcUrl))
    await pulled.mine(100)
    const until = Date.now() + 6_000
    const pull = async (depth: number): Promise<void> => {
      while (Date.now() < until) await pulled.reorg(depth, depth % 2 === 0)
    }
    await Promise.all([pull(90), pull(40), pull(7)])
    const { head } = await pulled.head()
    for (let number = 1; number <= head; number++) {
      const { parentHash, number: own } = await block(number)
      expect([Number(own), parentHash]).toEqual([number, (await block(number - 1)).hash])
    }
  }, 30_000)

  it('do not stop the mining, also when they refuse', async () => {
    const pulled = new ChainLevers(rpcAt(mining.rpcUrl))
    const { head } = await pulled.reorg(2, false)
    await expect(pulled.reorg(head + 50, false)).rejects.toMatchObject({ code: 'invalid_request' })
    expect(await mining.rpc('anvil_getIntervalMining')).toBe(1)
    await expect
      .poll(async () => (await pulled.head()).head, { timeout: 5_000 })
      .toBeGreaterThan(head)
  })

  it('refuse a reorg of the set-up of the sandbox, naming the maximum depth', async () => {
    const { head } = await new ChainLevers(rpcAt(mining.rpcUrl)).head()
    const pulled = new ChainLevers(rpcAt(mining.rpcUrl), head - 3)
    const setUp = (await block(head - 3)).hash
    const refused = pulled.reorg(200, false)
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(refused).rejects.toThrow(
      `the first ${head - 3} are protected (the set-up of the sandbox`,
    )
    await pulled.reorg(2, false)
    expect((await block(head - 3)).hash).toBe(setUp)
  })
})
