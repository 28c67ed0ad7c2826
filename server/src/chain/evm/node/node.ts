import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'
import type { RpcAnswer, RpcConnection } from './connection.ts'
import {
  fieldsOf,
  isHash,
  isQuantity,
  malformed,
  quantity,
  toAddress,
  toCount,
  toHash,
} from './hex.ts'
import { Score } from './scores.ts'

/** A block as the node shows it. Which fields are filled depends on the question. */
export interface Header {
  readonly ref: BlockRef
  /** Unparsed: only the bloom test reads it. */
  readonly logsBloom: unknown
  /** Null when the node sent no list of transactions, as in `newHeads`. */
  readonly txHashes: readonly string[] | null
  /**
   * The native coin that transactions carry. Null when the node sent no list, or only hashes; empty
   * for an empty block.
   */
  readonly values: readonly NativeValue[] | null
  /** Transactions that could not be parsed; they are missing from `values`. */
  readonly odd?: readonly OddTransaction[]
  /** The unparsed transactions: present, null and empty like `values`. */
  readonly listed?: readonly unknown[] | null
}

/**
 * What could be parsed of a transaction: enough to tell whom it may pay, and to ask for it again.
 */
export interface OddTransaction {
  readonly txHash: string | null
  readonly to: string | null
}

/**
 * The native coin that a transaction itself carries, without that of its internal calls. Whether
 * the transaction succeeded is not known yet.
 */
export interface NativeValue {
  readonly txHash: string
  readonly from: string
  readonly to: string
  readonly amount: bigint
}

export interface Receipt {
  readonly txHash: string
  readonly blockHash: string
  readonly succeeded: boolean
  readonly logs: readonly unknown[]
}

/** Counts how well a node does. */
export type Tally = Pick<Score, 'logsAsked' | 'logsEmpty' | 'bloomLies' | 'odd'>

/**
 * The questions of a follower to a node. Answers are parsed unless a method says otherwise. If the
 * node declines a question (unsupported, or unknown block), a method about blocks or logs that may
 * return null does so, `ask` returns the answer, and all others throw `chain_unavailable`. So does
 * a malformed answer, unless a method says otherwise.
 */
export class EvmNode {
  /** The readers of logs and blooms count here. */
  readonly tally: Tally
  readonly #socket: Pick<RpcConnection, 'ask'>

  constructor(socket: Pick<RpcConnection, 'ask'>, tally: Tally = new Score()) {
    this.#socket = socket
    this.tally = tally
  }

  async chainId(): Promise<number> {
    return toCount(required(await this.#socket.ask('eth_chainId', [])), 'chain id')
  }

  async genesisHash(): Promise<string> {
    const genesis = await this.byNumber(0, false)
    if (genesis === null) throw malformed('genesis block')
    return genesis.ref.hash
  }

  async latest(): Promise<Header> {
    return parseHeader(required(await this.#socket.ask('eth_getBlockByNumber', ['latest', false])))
  }

  /** Null when the node does not know the tag, or has no block under it yet. */
  async tagged(tag: 'safe' | 'finalized'): Promise<BlockRef | null> {
    const answer = await this.#socket.ask('eth_getBlockByNumber', [tag, false])
    return headerOrNull(answer)?.ref ?? null
  }

  /** Null when the node has no canonical block of that number. */
  async byNumber(number: number, whole: boolean): Promise<Header | null> {
    return headerOrNull(await this.#socket.ask('eth_getBlockByNumber', [quantity(number), whole]))
  }

  /** Null when the node does not know, or no longer knows, the block. */
  async byHash(hash: string, whole: boolean): Promise<Header | null> {
    const header = headerOrNull(await this.#socket.ask('eth_getBlockByHash', [hash, whole]))
    if (header !== null && header.ref.hash !== hash) throw malformed('block: it has another hash')
    return header
  }

  /**
   * Asked by block hash, never by number: a node that lacks the block must say so instead of
   * answering for another block or with an empty list. Null when it says so.
   */
  async logs(
    blockHash: string,
    contracts: readonly string[],
    topic: string,
  ): Promise<readonly unknown[] | null> {
    const filter = { blockHash, address: contracts, topics: [topic] }
    const answer = await this.#socket.ask('eth_getLogs', [filter])
    if ('declined' in answer) return null
    return toList(answer.result, 'list of logs')
  }

  /**
   * The receipts of a block, without malformed ones; null when the node cannot or will not return
   * them.
   */
  async blockReceipts(blockHash: string): Promise<readonly Receipt[] | null> {
    const answer = await this.#socket.ask('eth_getBlockReceipts', [blockHash])
    if ('declined' in answer || answer.result === null) return null
    return toList(answer.result, 'list of receipts').flatMap((one) => this.#readable(one) ?? [])
  }

  /** Null while the node has no receipt of the transaction, or only a malformed one. */
  async receipt(txHash: string): Promise<Receipt | null> {
    const result = required(await this.#socket.ask('eth_getTransactionReceipt', [txHash]))
    return result === null ? null : this.#readable(result)
  }

  /** Null for a malformed receipt, which does not affect the others. */
  #readable(value: unknown): Receipt | null {
    const receipt = parseReceipt(value)
    if (receipt === null) this.tally.odd('receipt')
    return receipt
  }

  /**
   * The native coin that a mined transaction carries. Null if it carries none or is malformed, or
   * if the node does not know it.
   */
  async value(txHash: string): Promise<NativeValue | null> {
    const value = nativeValueOf(await this.transaction(txHash), txHash)
    return value === 'odd' ? null : value
  }

  /** Unparsed, for the mempool filter; null when the node does not know it. */
  async transaction(txHash: string): Promise<unknown> {
    // A transfer found only by a balance has a made-up transaction id, which no node knows.
    if (!isHash(txHash)) return null
    return required(await this.#socket.ask('eth_getTransactionByHash', [txHash]))
  }

  /** Any other question, for callers that parse its answer themselves. */
  ask(method: string, params: readonly unknown[]): Promise<RpcAnswer> {
    return this.#socket.ask(method, params)
  }
}

/** Parses a block, or a header as `newHeads` sends it. Throws `chain_unavailable`. */
export function parseHeader(value: unknown): Header {
  const fields = fieldsOf(value)
  if (fields === null) throw malformed('block')
  const ref: BlockRef = {
    number: toCount(fields.number, 'block number'),
    hash: toHash(fields.hash, 'block hash'),
    parentHash: toHash(fields.parentHash, 'parent hash'),
    minedAt: toInstant(fields.timestamp),
  }
  const listed = listIn(fields)
  const header = { ref, logsBloom: fields.logsBloom }
  if (listed === null) return { ...header, txHashes: null, values: null }
  const isWhole = listed.every((transaction) => typeof transaction === 'object')
  const txHashes: string[] = []
  const values: NativeValue[] = []
  const odd: OddTransaction[] = []
  for (const transaction of listed) {
    const txHash = hashOfListed(transaction)
    if (txHash !== null) txHashes.push(txHash)
    const value = isWhole && txHash !== null ? nativeValueOf(transaction, txHash) : null
    if (value !== null && value !== 'odd') values.push(value)
    if (txHash === null || value === 'odd') {
      odd.push({ txHash, to: toAddress(fieldsOf(transaction)?.to) })
    }
  }
  return {
    ...header,
    txHashes,
    values: isWhole ? values : null,
    listed: isWhole ? listed : null,
    ...(odd.length > 0 && { odd }),
  }
}

/** keccak256(0x80), the root of an empty trie: the transactions root of an empty block. */
const emptyRoot = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'

/**
 * The list of transactions; null when the node sent no list. Some nodes write `null` for an empty
 * block: `null` counts as an empty list unless the transactions root says otherwise.
 */
function listIn({
  transactions,
  transactionsRoot,
}: Readonly<Record<string, unknown>>): readonly unknown[] | null {
  if (Array.isArray(transactions)) return transactions
  return transactions === null && (transactionsRoot ?? emptyRoot) === emptyRoot ? [] : null
}

/** The last second of the year 9999: the formats that store times expect four digits of a year. */
const lastSecond = 253_402_300_799

function toInstant(seconds: unknown): Instant {
  const count = toCount(seconds, 'block time')
  if (count > lastSecond) throw malformed('block time')
  return count * 1_000
}

function hashOfListed(transaction: unknown): string | null {
  const hash = fieldsOf(transaction)?.hash ?? transaction
  return isHash(hash) ? hash.toLowerCase() : null
}

/**
 * The native coin of one transaction. Null if it carries none, creates a contract, or lacks a value
 * field or a readable recipient; `'odd'` if its sender or value is malformed.
 */
function nativeValueOf(transaction: unknown, txHash: string): NativeValue | 'odd' | null {
  const fields = fieldsOf(transaction)
  const to = toAddress(fields?.to)
  if (fields === null || to === null) return null
  if (fields.value === undefined || fields.value === '0x0') return null
  const from = toAddress(fields.from)
  return from === null || !isQuantity(fields.value)
    ? 'odd'
    : { txHash, from, to, amount: BigInt(fields.value) }
}

function parseReceipt(value: unknown): Receipt | null {
  const { transactionHash, blockHash, status, logs } = fieldsOf(value) ?? {}
  if (!isHash(transactionHash) || !isHash(blockHash) || !Array.isArray(logs)) return null
  return {
    txHash: transactionHash.toLowerCase(),
    blockHash: blockHash.toLowerCase(),
    succeeded: status === '0x1',
    logs,
  }
}

function headerOrNull(answer: RpcAnswer): Header | null {
  // Nodes differ: for a block they lack, some return null and some an error.
  if ('declined' in answer || answer.result === null) return null
  return parseHeader(answer.result)
}

function required(answer: RpcAnswer): unknown {
  if ('declined' in answer) throw malformed(`declined answer (code ${answer.declined.code})`)
  return answer.result
}

function toList(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(what)
  return value
}
