import { transferTopic } from '../../server/src/chain/evm/block/logs.ts'
import type { RpcAnswer, RpcConnection } from '../../server/src/chain/evm/node/connection.ts'
import { EvmNode, type Header, parseHeader } from '../../server/src/chain/evm/node/node.ts'

/** A block of token transfers as the JSON texts that a node sends, which the reader must parse. */
export interface BlockTexts {
  readonly header: Header
  readonly block: string
  readonly logs: string
  /** Receipts and transactions by hash. */
  readonly receipts: ReadonlyMap<string, string>
  readonly transactions: ReadonlyMap<string, string>
}

export const token = `0x${'c0'.repeat(20)}`
const payer = `0x${'bb'.repeat(20)}`

const hex = (value: number, digits: number): string =>
  `0x${value.toString(16).padStart(digits, '0')}`
export const hashOf = (kind: string, n: number): string =>
  `0x${Buffer.from(`${kind}${n}`).toString('hex').padEnd(64, '0').slice(0, 64)}`
export const strangerOf = (n: number): string => hex(n + 0xeeee_0000, 40)

/** Each recipient is paid by its own transaction, in the given order. */
export function blockOf(number: number, recipients: readonly string[], amount: bigint): BlockTexts {
  const hash = hashOf('block', number)
  const txHashes = recipients.map((_, i) => hashOf(`tx${number}.`, i))
  const data = `0x${amount.toString(16).padStart(64, '0')}`
  const wordOf = (address: string): string => `0x${'0'.repeat(24)}${address.slice(2)}`
  const logOf = (to: string, i: number): object => ({
    ...{ address: token, topics: [transferTopic, wordOf(payer), wordOf(to)], data },
    ...{ blockNumber: hex(number, 1), blockHash: hash, transactionHash: txHashes[i] },
    ...{ transactionIndex: hex(i, 1), logIndex: hex(i, 1), removed: false },
  })
  const logs = recipients.map(logOf)
  const block = JSON.stringify({
    ...{ number: hex(number, 1), hash, parentHash: hashOf('block', number - 1) },
    ...{ timestamp: hex(Math.floor(Date.now() / 1_000), 1), logsBloom: `0x${'f'.repeat(512)}` },
    transactions: txHashes,
  })
  const callOf = (to: string): string => `0xa9059cbb${wordOf(to).slice(2)}${data.slice(2)}`
  const { transactions: _, ...announced } = JSON.parse(block)
  return {
    header: parseHeader(announced),
    block,
    logs: JSON.stringify(logs),
    receipts: new Map(
      txHashes.map((transactionHash, i) => [
        transactionHash,
        JSON.stringify({
          ...{ transactionHash, blockHash: hash, status: '0x1', gasUsed: '0xffff' },
          ...{ from: payer, to: token, logs: [logs[i]], logsBloom: `0x${'0'.repeat(512)}` },
        }),
      ]),
    ),
    transactions: new Map(
      txHashes.map((txHash, i) => [
        txHash,
        JSON.stringify({
          ...{ hash: txHash, blockHash: hash, from: payer, to: token, nonce: hex(i, 1) },
          ...{ input: callOf(recipients[i] ?? ''), value: '0x0', gas: '0xffff', type: '0x2' },
          ...{ maxFeePerGas: '0x3b9aca00', maxPriorityFeePerGas: '0x1', chainId: '0x1' },
        }),
      ]),
    ),
  }
}

/** A node with one block in memory: there is no wire, but every answer is parsed from its text. */
export function nodeWith(texts: BlockTexts): EvmNode {
  const answers: Readonly<Record<string, (name: string) => string | undefined>> = {
    eth_getBlockByHash: () => texts.block,
    eth_getLogs: () => texts.logs,
    eth_getTransactionReceipt: (txHash) => texts.receipts.get(txHash),
    eth_getTransactionByHash: (txHash) => texts.transactions.get(txHash),
  }
  const connection: RpcConnection = {
    closed: new Promise(() => undefined),
    open: true,
    ask: async (method, [name]): Promise<RpcAnswer> => {
      const text = answers[method]?.(String(name))
      return { result: text === undefined ? null : JSON.parse(text) }
    },
    subscribe: async () => null,
    drop: () => undefined,
  }
  return new EvmNode(connection)
}
