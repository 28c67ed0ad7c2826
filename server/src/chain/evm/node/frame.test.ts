import { describe, expect, it } from 'vitest'
import { FakeChain, newAddress, tokenTx } from '../../../../../test/support/evm/fake-chain.ts'
import { parseFrame } from './frame.ts'

const answer = (result: string): string => `{"jsonrpc":"2.0","id":1,"result":${result}}`
const million = 1_000_000

describe('a message of a node', () => {
  it('is its fields, or nothing when it is no object', () => {
    expect(parseFrame(answer('"0x1"'))).toEqual({ jsonrpc: '2.0', id: 1, result: '0x1' })
    for (const text of ['', 'null', '[]', '"text"', '{', answer('')]) {
      expect(parseFrame(text)).toBeNull()
    }
  })

  it.each([
    ['deeper than anything', '['.repeat(million) + ']'.repeat(million)],
    ['of nothing but objects', `[{}${',{}'.repeat(million)}]`],
    ['of nothing but lists', `[[]${',[]'.repeat(million)}]`],
  ])('%s is refused before it is parsed', (_, result) => {
    const before = performance.now()
    expect(parseFrame(answer(result))).toBeNull()
    expect(performance.now() - before).toBeLessThan(200)
  })

  it('is parsed however long it is, when it is what nodes answer', () => {
    const token = newAddress()
    const txs = Array.from({ length: 2_000 }, () => tokenTx(token, newAddress(), 1n))
    const { transactions } = new FakeChain().mine(txs)
    const logs = transactions.flatMap((tx) => tx.logs)
    const bare = transactions.map(() => ({ logs: [], status: '0x1' }))
    const traces = transactions.map(({ hash }) => ({ hash, calls: [{ to: token, calls: [] }] }))
    for (const result of [logs, bare, traces]) {
      const text = answer(JSON.stringify([...result, { data: 'f'.repeat(100_000) }]))
      expect(parseFrame(text)).toMatchObject({ id: 1 })
    }
  })
})
