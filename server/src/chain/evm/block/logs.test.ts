import { encodeAbiParameters, encodeEventTopics, erc20Abi } from 'viem'
import { describe, expect, it } from 'vitest'
import { newAddress } from '../../../../../test/support/evm/fake-chain.ts'
import { recipientOf, sortLogs, tokenTransferAt, tokenTransfers, transferTopic } from './logs.ts'

const hex = (text: string): `0x${string}` => `0x${text.slice(2)}`
const blockHash = `0x${'b1'.repeat(32)}`
const txHash = `0x${'7c'.repeat(32)}`

describe('finding token transfers in logs', () => {
  const token = newAddress()
  const from = newAddress()
  const to = newAddress()
  const tokens = new Set([token])

  /** An ABI-encoded log, with changes. */
  const log = (amount: bigint, changes: Record<string, unknown> = {}) => ({
    address: token,
    topics: encodeEventTopics({
      abi: erc20Abi,
      eventName: 'Transfer',
      args: { from: hex(from), to: hex(to) },
    }),
    data: encodeAbiParameters([{ type: 'uint256' }], [amount]),
    blockHash,
    transactionHash: txHash,
    logIndex: '0x1f',
    ...changes,
  })

  it('decodes ABI-encoded `Transfer` logs', () => {
    const [transfer, ...more] = tokenTransfers([log(2n ** 256n - 1n)], tokens, blockHash)
    expect(more).toEqual([])
    expect(transfer).toMatchObject({ token })
    expect(transfer && recipientOf(transfer)).toBe(to)
    expect(transfer && tokenTransferAt(transfer, 3)).toEqual({
      txHash,
      part: 3,
      token,
      from,
      to,
      amount: 2n ** 256n - 1n,
    })
    expect(log(1n).topics[0]).toBe(transferTopic)
  })

  it('accepts hex in either case', () => {
    const upper = (text: string): string => `0x${text.slice(2).toUpperCase()}`
    const shouted = log(5n, {
      address: upper(token),
      blockHash: upper(blockHash),
      transactionHash: upper(txHash),
      topics: log(5n).topics.map((topic, at) => (at === 0 ? topic : upper(String(topic)))),
    })
    const [transfer] = tokenTransfers([shouted], tokens, blockHash)
    expect(transfer && tokenTransferAt(transfer, 0)).toMatchObject({ txHash, token, from, to })
  })

  it.each([null, undefined, 'log', 7, [], {}, { topics: 'none' }])(
    'skips %j among the logs and keeps the others',
    (odd) => {
      expect(tokenTransfers([odd, log(5n)], tokens, blockHash)).toHaveLength(1)
    },
  )

  it('throws for a log of another block, as an error of the node', () => {
    const other = log(5n, { blockHash: `0x${'ee'.repeat(32)}` })
    expect(() => tokenTransfers([other], tokens, blockHash)).toThrow('another block')
    expect(() => tokenTransfers([log(5n, { blockHash: null })], tokens, blockHash)).toThrow()
  })

  it('counts as odd a transfer without a transaction hash, or of another block', () => {
    const sorted = sortLogs(
      [log(5n, { transactionHash: null }), log(6n, { blockHash: '0x' }), log(7n)],
      tokens,
      blockHash,
    )
    expect(sorted.odd).toBe(2)
    expect(sorted.transfers.map((one) => tokenTransferAt(one, 0)?.amount)).toEqual([7n])
  })

  it('ignores the `logIndex` of logs, so an invalid one does no harm', () => {
    expect(sortLogs([log(5n, { logIndex: '1f' })], tokens, blockHash).odd).toBe(0)
  })
})
