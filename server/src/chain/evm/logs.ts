import type { SeenTransfer } from '@settlewire/core/observation'
import { fieldsOf, malformed, toAddress, toCount, toHash } from './hex.ts'

/** keccak256("Transfer(address,address,uint256)"), the first topic of every ERC-20 transfer. */
export const transferTopic = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'

/** A word whose upper 12 bytes are zero: an address as ABI encodes it. */
const addressWord = '0x000000000000000000000000'
const zeroWord = `0x${'0'.repeat(64)}`

/** A well-formed, non-zero ERC-20 transfer of an allow-listed token; not yet known to be for us. */
export interface TokenTransfer {
  readonly txHash: string
  /** The log's place in its block; its place in its transaction comes from the receipt. */
  readonly logIndex: number
  readonly token: string
  readonly to: string
  readonly fromWord: string
  readonly data: string
}

/**
 * The transfers among a block's logs. Sliced by hand: an ABI decoder costs twenty times as much,
 * and throws at the first log that is none of its kind. A log that is no ERC-20 transfer (an NFT
 * has a fourth topic, others have no data) is left out alone; its block goes on. Zero amounts are
 * left out too: they are spam that only wants to be seen. Throws when a log is of another block.
 */
export function tokenTransfers(
  logs: readonly unknown[],
  tokens: ReadonlySet<string>,
  blockHash: string,
): TokenTransfer[] {
  const transfers: TokenTransfer[] = []
  const seen = new Set<number>()
  for (const log of logs) {
    const transfer = tokenTransfer(log, tokens, blockHash)
    if (transfer === null || seen.has(transfer.logIndex)) continue
    seen.add(transfer.logIndex)
    transfers.push(transfer)
  }
  return transfers
}

function tokenTransfer(
  log: unknown,
  tokens: ReadonlySet<string>,
  blockHash: string,
): TokenTransfer | null {
  const fields = fieldsOf(log)
  if (fields === null || !Array.isArray(fields.topics)) return null
  const { address, topics, data } = fields
  const [topic, fromWord, toWord] = topics
  if (topics.length !== 3 || topic !== transferTopic) return null
  if (!isAddressWord(fromWord) || !isAddressWord(toWord)) return null
  if (typeof data !== 'string' || data.length !== 66 || data === zeroWord) return null
  if (typeof address !== 'string') return null
  const token = address.toLowerCase()
  if (!tokens.has(token)) return null
  // From here on it is a transfer: what is wrong with it now is wrong with the node's answer.
  if (typeof fields.blockHash !== 'string' || fields.blockHash.toLowerCase() !== blockHash) {
    throw malformed('log: it is of another block than the one asked for')
  }
  return {
    txHash: toHash(fields.transactionHash, 'transaction hash of a log'),
    logIndex: toCount(fields.logIndex, 'log index'),
    token,
    to: `0x${toWord.slice(26).toLowerCase()}`,
    fromWord,
    data,
  }
}

const isAddressWord = (word: unknown): word is string =>
  typeof word === 'string' && word.length === 66 && word.startsWith(addressWord)

/** The transfer as it is told, once its place in its transaction is known. Null if it is no hex. */
export function tokenTransferAt(transfer: TokenTransfer, ordinal: number): SeenTransfer | null {
  const from = toAddress(`0x${transfer.fromWord.slice(26)}`)
  if (from === null || !/^0x[0-9a-fA-F]{64}$/.test(transfer.data)) return null
  return {
    txHash: transfer.txHash,
    ordinal,
    token: transfer.token,
    from,
    to: transfer.to,
    amount: BigInt(transfer.data),
  }
}
