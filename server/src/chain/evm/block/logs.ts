import type { SeenTransfer } from '@settlewire/core/payment/observation'
import type { WatchSet } from '../../../ports/chain.ts'
import { fieldsOf, isHash, malformed, toAddress, toHash } from '../node/hex.ts'

/** keccak256("Transfer(address,address,uint256)"), the first topic of every ERC-20 transfer. */
export const transferTopic = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'

/** A word whose upper 12 bytes are zero: an address as ABI encodes it. */
const addressWord = '0x000000000000000000000000'
const zeroWord = `0x${'0'.repeat(64)}`

/**
 * The address that emits logs for native coin under EIP-7708: in the form of a token's `Transfer`,
 * for money that the transactions' own values and traces show already. Never a token.
 */
export const systemAddress = '0xfffffffffffffffffffffffffffffffffffffffe'

/** A non-zero ERC-20 transfer of an allow-listed token, to any recipient. */
export interface TokenTransfer {
  readonly token: string
  /** The topic that ends in the recipient's address, as the node sent it: see `recipientOf`. */
  readonly toWord: string
  /** The unparsed log. Its other fields are parsed only if it pays us, which few do. */
  readonly log: Readonly<Record<string, unknown>>
}

/**
 * The transfers among a block's logs. Decoded by hand: an ABI decoder takes twenty times as long,
 * and throws at the first log of another kind. A log that is not an ERC-20 transfer (an NFT has a
 * fourth topic, others have no data) is skipped alone. Zero amounts are skipped too: they are spam.
 * A transfer that names another block, or no transaction, is skipped and counted in `odd`, because
 * it makes the whole answer unreliable.
 */
export function sortLogs(
  logs: readonly unknown[],
  tokens: ReadonlySet<string>,
  blockHash: string,
): { readonly transfers: readonly TokenTransfer[]; readonly odd: number } {
  const transfers: TokenTransfer[] = []
  let odd = 0
  for (const log of logs) {
    const transfer = transferIn(log, tokens)
    if (transfer === null) continue
    const { blockHash: named, transactionHash } = transfer.log
    const isOfBlock = named === blockHash || (isHash(named) && named.toLowerCase() === blockHash)
    // Its digits are checked only if the transfer is for us.
    const isNamed = typeof transactionHash === 'string' && transactionHash.length === 66
    if (isOfBlock && isNamed) transfers.push(transfer)
    else odd++
  }
  return { transfers, odd }
}

/** Like `sortLogs`, but throws when any transfer is odd. */
export function tokenTransfers(
  logs: readonly unknown[],
  tokens: ReadonlySet<string>,
  blockHash: string,
): readonly TokenTransfer[] {
  const { transfers, odd } = sortLogs(logs, tokens, blockHash)
  if (odd > 0) throw malformed('log: it names another block, or no transaction')
  return transfers
}

/**
 * The transfer in a log of any block; null unless it is a non-zero transfer of one of these tokens.
 */
export function transferIn(value: unknown, tokens: ReadonlySet<string>): TokenTransfer | null {
  const log = fieldsOf(value)
  if (log === null || !Array.isArray(log.topics)) return null
  const { address, topics, data } = log
  if (topics.length !== 3 || topics[0] !== transferTopic) return null
  const toWord: unknown = topics[2]
  if (!isAddressWord(topics[1]) || !isAddressWord(toWord)) return null
  if (typeof data !== 'string' || data.length !== 66 || data === zeroWord) return null
  if (typeof address !== 'string') return null
  const token = address.toLowerCase()
  if (!tokens.has(token) || token === systemAddress) return null
  return { token, toWord, log }
}

/** The recipient of a transfer, in lower case. */
export const recipientOf = ({ toWord }: TokenTransfer): string =>
  `0x${toWord.slice(26).toLowerCase()}`

/**
 * Whether a transfer pays a watched address. Runs for every transfer of a block. Nearly all pay
 * other addresses and are excluded by a few digits of the topic, without building the address.
 */
export const isFor = (watch: Pick<WatchSet, 'has' | 'mayHold'>, transfer: TokenTransfer): boolean =>
  watch.mayHold(transfer.toWord) && watch.has(recipientOf(transfer))

const isAddressWord = (word: unknown): word is string =>
  typeof word === 'string' && word.length === 66 && word.startsWith(addressWord)

/** Throws when the log has no valid transaction hash. */
export const txHashOf = ({ log }: TokenTransfer): string =>
  toHash(log.transactionHash, 'transaction hash of a log')

/**
 * The transfer to report, at its index in its receipt, or as a hint. Null if its payer or amount is
 * not valid hex; throws if its transaction hash is invalid.
 */
export function tokenTransferAt(
  transfer: TokenTransfer,
  part: number | 'hint',
): SeenTransfer | null {
  const { topics, data } = transfer.log
  const from = Array.isArray(topics) ? toAddress(`0x${String(topics[1]).slice(26)}`) : null
  if (from === null || !isWord(data)) return null
  const { token } = transfer
  const to = recipientOf(transfer)
  return { txHash: txHashOf(transfer), part, token, from, to, amount: BigInt(data) }
}

const isWord = (data: unknown): data is string =>
  typeof data === 'string' && /^0x[0-9a-fA-F]{64}$/.test(data)
