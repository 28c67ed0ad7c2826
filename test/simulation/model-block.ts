/** Blocks and transactions of a chain in memory, and their JSON in the real protocol. */
import { hash } from 'node:crypto'
import { hexToBytes, keccak256 } from 'viem/utils'

/** A log that a transaction emits if it succeeds. */
export interface ModelLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
}

/** Money that really moves to an address, by token (null: the native coin). */
export interface Move {
  readonly to: string
  readonly token: string | null
  readonly amount: bigint
}

export interface ModelTx {
  readonly hash: string
  readonly sender: string
  readonly nonce: number
  readonly feePerGas: bigint
  readonly to: string
  readonly value: bigint
  readonly input: string
  readonly logs: readonly ModelLog[]
  readonly moves: readonly Move[]
  /** Never shown in a public mempool. */
  readonly isPrivate: boolean
  /** The true time when it was first sent. */
  readonly sentAt: number
}

export interface Entry {
  readonly tx: ModelTx
  readonly reverts: boolean
}

export interface ModelBlock {
  readonly number: number
  readonly hash: string
  readonly parent: ModelBlock | null
  /** In seconds. */
  readonly timestamp: number
  readonly entries: readonly Entry[]
  /** Slots that were used without a transaction in `entries`, as `sender nonce`. */
  readonly silentSlots: readonly string[]
  readonly logsBloom: string
}

export const hashOf = (text: string): string => `0x${hash('sha256', text)}`
export const addressOf = (text: string): string => hashOf(text).slice(0, 42)
export const word = (value: string | bigint): string => {
  const digits = typeof value === 'bigint' ? value.toString(16) : value.replace(/^0x/, '')
  return `0x${digits.padStart(64, '0')}`
}
export const quantity = (count: number | bigint): string => `0x${count.toString(16)}`

export const transferTopic = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'

export const transferLog = (move: Move & { token: string }, from: string): ModelLog => ({
  address: move.token,
  topics: [transferTopic, word(from), word(move.to)],
  data: word(move.amount),
})

/** The input of strangers' transactions, which distinguishes them from payers' in the model. */
export const noiseName = '0xdeadbeef'

export const slotOf = ({ sender, nonce }: Pick<ModelTx, 'sender' | 'nonce'>): string =>
  `${sender} ${nonce}`

/** Whether `block` is `base` or a descendant of it. */
export function standsOn(block: ModelBlock, base: ModelBlock): boolean {
  return ancestorAt(block, base.number) === base
}

export function ancestorAt(block: ModelBlock, number: number): ModelBlock | null {
  let at: ModelBlock | null = block
  while (at !== null && at.number > number) at = at.parent
  return at?.number === number ? at : null
}

/** The blocks of a branch, from its tip down. */
export function* branchOf(tip: ModelBlock): Generator<ModelBlock> {
  for (let at: ModelBlock | null = tip; at !== null; at = at.parent) yield at
}

const probes = new Map<string, readonly (readonly [number, number])[]>()

/** The three bloom bits of an item by the yellow paper: byte and mask. */
function probesOf(item: string): readonly (readonly [number, number])[] {
  const known = probes.get(item)
  if (known !== undefined) return known
  const digest = hexToBytes(keccak256(item as `0x${string}`)) // made in this file, as hex
  const bits = [0, 2, 4].map((pair) => {
    const bit = ((digest[pair] ?? 0) * 256 + (digest[pair + 1] ?? 0)) % 2048
    return [255 - Math.floor(bit / 8), 2 ** (bit % 8)] as const
  })
  probes.set(item, bits)
  return bits
}

const emptyBloom = `0x${'0'.repeat(512)}`

/** Contains only what the follower looks for: contracts and first topics. */
export function bloomOf(entries: readonly Entry[]): string {
  const logs = entries.flatMap(({ tx, reverts }) => (reverts ? [] : tx.logs))
  if (logs.length === 0) return emptyBloom
  const bits = Buffer.alloc(256)
  for (const { address, topics } of logs) {
    for (const item of [address, topics[0] ?? address]) {
      for (const [byte, mask] of probesOf(item)) bits[byte] = (bits[byte] ?? 0) | mask
    }
  }
  return `0x${bits.toString('hex')}`
}

export const headerJson = (block: ModelBlock) => ({
  number: quantity(block.number),
  hash: block.hash,
  parentHash: block.parent?.hash ?? word('0x'),
  timestamp: quantity(block.timestamp),
  logsBloom: block.logsBloom,
})

export const blockJson = (block: ModelBlock, whole: boolean) => ({
  ...headerJson(block),
  transactions: block.entries.map(({ tx }) => (whole ? transactionJson(tx, block) : tx.hash)),
})

export const transactionJson = (tx: ModelTx, block: ModelBlock | null) => ({
  ...{ hash: tx.hash, from: tx.sender, nonce: quantity(tx.nonce), to: tx.to },
  ...{ value: quantity(tx.value), input: tx.input, type: '0x2' },
  ...{ maxFeePerGas: quantity(tx.feePerGas), maxPriorityFeePerGas: '0x1', gas: '0x5208' },
  blockHash: block?.hash ?? null,
  blockNumber: block === null ? null : quantity(block.number),
  transactionIndex: block === null ? null : '0x0',
})

export type LogJson = ReturnType<typeof logsJson>[number]

/** All logs of a block, with their indexes in it. */
export function logsJson(block: ModelBlock) {
  return block.entries
    .flatMap(({ tx, reverts }) => (reverts ? [] : tx.logs.map((log) => ({ log, tx }))))
    .map(({ log, tx }, logIndex) => ({
      ...{ ...log, blockHash: block.hash, blockNumber: quantity(block.number) },
      ...{ transactionHash: tx.hash, logIndex: quantity(logIndex), removed: false },
    }))
}

export function receiptsJson(block: ModelBlock) {
  const logs = logsJson(block)
  return block.entries.map(({ tx, reverts }) => ({
    ...{ transactionHash: tx.hash, blockHash: block.hash, blockNumber: quantity(block.number) },
    ...{ status: reverts ? '0x0' : '0x1', from: tx.sender, to: tx.to },
    logs: logs.filter((log) => log.transactionHash === tx.hash),
  }))
}
