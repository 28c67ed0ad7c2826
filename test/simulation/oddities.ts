/** How nodes count and write otherwise than others do, without saying anything untrue of money. */
import { noiseName, quantity } from './model-block.ts'

type Fields = Readonly<Record<string, unknown>>

interface Twist {
  /** Changes a block or header. */
  readonly block?: (block: Fields) => Fields
  /** Changes the list of logs of a block. */
  readonly logs?: (logs: readonly Fields[]) => readonly Fields[]
  /** Changes the receipts of a block, which it may leave out. */
  readonly receipts?: (receipts: readonly Fields[]) => readonly Fields[]
  /** Changes every receipt, wherever it is shown. */
  readonly receipt?: (receipt: Fields) => Fields
}

const isList = (value: unknown): value is readonly Fields[] => Array.isArray(value)
const withLogs = (receipt: Fields, change: (log: Fields, at: number) => Fields): Fields =>
  isList(receipt.logs) ? { ...receipt, logs: receipt.logs.map(change) } : receipt

function countedAnew(logs: readonly Fields[]): readonly Fields[] {
  const counts = new Map<unknown, number>()
  return logs.map((log) => {
    const at = counts.get(log.transactionHash) ?? 0
    counts.set(log.transactionHash, at + 1)
    return { ...log, logIndex: quantity(at) }
  })
}

/** What is wrong with each stranger's transaction, by a digit of its hash. */
const malformed: readonly Fields[] = [
  { value: null },
  { value: '0x' },
  { value: '0x-1' },
  { hash: undefined },
  { from: null, to: '0x' },
]

const strangers = (block: Fields): Fields => {
  const { transactions } = block
  if (!isList(transactions)) return block
  return {
    ...block,
    transactions: transactions.map((tx) =>
      tx.input === noiseName
        ? {
            ...tx,
            ...malformed[Number(String(tx.hash).slice(-1).charCodeAt(0)) % malformed.length],
          }
        : tx,
    ),
  }
}

const twists = {
  indexPerTransaction: {
    logs: countedAnew,
    receipt: (receipt) => withLogs(receipt, (log, at) => ({ ...log, logIndex: quantity(at) })),
  },
  indexRepeats: {
    logs: (logs) => logs.map((log) => ({ ...log, logIndex: '0x0' })),
    receipt: (receipt) => withLogs(receipt, (log) => ({ ...log, logIndex: '0x0' })),
  },
  indexDiffers: {
    receipt: (receipt) => withLogs(receipt, (log, at) => ({ ...log, logIndex: quantity(at + 7) })),
  },
  bloomIsEmpty: { block: (block) => ({ ...block, logsBloom: `0x${'0'.repeat(512)}` }) },
  /** Of another block, as it may seem: three bits that nothing of ours has. */
  bloomIsForeign: { block: (block) => ({ ...block, logsBloom: `0x07${'0'.repeat(510)}` }) },
  receiptsAreShort: { receipts: (receipts) => receipts.slice(1) },
  strangersAreMalformed: { block: strangers },
  emptyIsNull: {
    block: (block) =>
      isList(block.transactions) && block.transactions.length === 0
        ? { ...block, transactions: null }
        : block,
  },
} as const satisfies Record<string, Twist>

export type Oddity = keyof typeof twists
export const oddities = Object.keys(twists) as readonly Oddity[] // a record's own keys

/** Whether an empty list of logs could not be seen to be wrong. */
export const hidesBlooms = (oddity: Oddity | null): boolean =>
  oddity === 'bloomIsEmpty' || oddity === 'bloomIsForeign'

/** The answer as such a node gives it. `newHeads` is what it tells by itself. */
export function oddly(oddity: Oddity | null, method: string, answer: unknown): unknown {
  if (oddity === null || answer === null || typeof answer !== 'object') return answer
  const twist: Twist = twists[oddity]
  const { block, logs, receipts, receipt } = twist
  // The model's own answers: a block, a list of logs, a receipt or a list of them.
  switch (method) {
    case 'newHeads':
    case 'eth_getBlockByNumber':
    case 'eth_getBlockByHash':
      return block?.(answer as Fields) ?? answer
    case 'eth_getLogs':
      return isList(answer) ? (logs?.(answer) ?? answer) : answer
    case 'eth_getTransactionReceipt':
      return receipt?.(answer as Fields) ?? answer
    case 'eth_getBlockReceipts': {
      if (!isList(answer)) return answer
      const each = receipt === undefined ? answer : answer.map(receipt)
      return receipts?.(each) ?? each
    }
    default:
      return answer
  }
}
