import { describe, expect, it } from 'vitest'
import { FakeChain, newAddress, tokenTx } from '../../../../../test/support/evm/fake-chain.ts'
import { parseFrame } from './frame.ts'

const answer = (result: string): string => `{"jsonrpc":"2.0","id":1,"result":${result}}`
const million = 1_000_000

describe('parsing a message of a node', () => {
  it('returns the fields of an object, and null for anything else', () => {
    expect(parseFrame(answer('"0x1"'))).toEqual({ jsonrpc: '2.0', id: 1, result: '0x1' })
    for (const text of ['', 'null', '[]', '"text"', '{', answer('')]) {
      expect(parseFrame(text)).toBeNull()
    }
  })

  it.each([
    ['a million levels deep', '['.repeat(million) + ']'.repeat(million)],
    ['made only of empty objects', `[{}${',{}'.repeat(million)}]`],
    ['made only of empty lists', `[[]${',[]'.repeat(million)}]`],
  ])('refuses, without parsing it, a message that is %s', (_, result) => {
    const before = performance.now()
    expect(parseFrame(answer(result))).toBeNull()
    expect(performance.now() - before).toBeLessThan(200)
  })

  it('parses real answers of nodes, however long', () => {
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
