/** Formats and numbering in which nodes differ, without false claims about money. */
import { noiseName, quantity } from './model-block.ts'

type Fields = Readonly<Record<string, unknown>>

interface Twist {
  /** Changes a block or header. */
  readonly block?: (block: Fields) => Fields
  /** Changes the list of logs of a block. */
  readonly logs?: (logs: readonly Fields[]) => readonly Fields[]
  /** Changes the receipts of a block, which it may leave out. */
  readonly receipts?: (receipts: readonly Fields[]) => readonly Fields[]
  /** Changes every receipt, in any answer. */
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

/** Malformed fields for strangers' transactions, chosen by a digit of the hash. */
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
  /** Looks like the bloom of another block: three bits that none of our items has. */
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

/** Whether the bloom cannot prove that an empty list of logs is wrong. */
export const hidesBlooms = (oddity: Oddity | null): boolean =>
  oddity === 'bloomIsEmpty' || oddity === 'bloomIsForeign'

/** The answer of a node with this oddity. `newHeads` stands for its notifications. */
export function oddly(oddity: Oddity | null, method: string, answer: unknown): unknown {
  if (oddity === null || answer === null || typeof answer !== 'object') return answer
  const twist: Twist = twists[oddity]
  const { block, logs, receipts, receipt } = twist
  // These are the model's own answers: a block, a list of logs, a receipt or a list of receipts.
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
