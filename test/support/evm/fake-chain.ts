/**
 * A chain in memory that a test writes by hand: blocks, forks, transactions, logs, correct blooms.
 * Nothing is executed; a transaction has the effects that the test gives it.
 */
import { hexToBytes, keccak256, stringToHex } from 'viem'

export interface FakeLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
}

/** Native coin moved by a contract. An undone move stays in the trace, with its error. */
export interface FakeMove {
  readonly from: string
  readonly to: string
  readonly value: bigint
  readonly undone?: boolean
  readonly calls?: readonly FakeMove[]
}

export interface FakeTx {
  readonly hash: string
  readonly from: string
  readonly nonce: number
  readonly maxFeePerGas: bigint
  readonly to: string | null
  readonly value: bigint
  readonly input: string
  readonly reverted: boolean
  readonly logs: readonly FakeLog[]
  /** The native moves of the contract that it calls. */
  readonly calls: readonly FakeMove[]
}

export interface FakeBlock {
  readonly number: number
  readonly hash: string
  readonly parentHash: string
  readonly timestamp: number
  readonly transactions: readonly FakeTx[]
  readonly logsBloom: string
}

type Hex = `0x${string}`
// All values hashed here are made in this file.
const hash = (text: string): string => keccak256(stringToHex(text))
const hashOf = (hex: string): Uint8Array => hexToBytes(keccak256(hex as Hex))
const word = (hex: string): string => `0x${hex.replace(/^0x/, '').padStart(64, '0')}`

const transferTopic = hash('Transfer(address,address,uint256)')

let made = 0
/** A new, unused address. */
export const newAddress = (): string => hash(`address ${++made}`).slice(0, 42)

/** A transaction with only the given effects. */
export const fakeTx = (parts: Partial<FakeTx> = {}): FakeTx => ({
  hash: hash(`transaction ${++made}`),
  from: newAddress(),
  nonce: 0,
  maxFeePerGas: 10n ** 9n,
  to: newAddress(),
  value: 0n,
  input: '0x',
  reverted: false,
  logs: [],
  calls: [],
  ...parts,
})

/** A well-formed ERC-20 `Transfer`. */
export const transferLog = (token: string, to: string, amount: bigint): FakeLog => ({
  address: token,
  topics: [transferTopic, word(newAddress()), word(to)],
  data: word(amount.toString(16)),
})

/** A call of `transfer(address,uint256)` that succeeded, with its log. */
export const tokenTx = (token: string, to: string, amount: bigint): FakeTx =>
  fakeTx({
    to: token,
    input: `0xa9059cbb${word(to).slice(2)}${word(amount.toString(16)).slice(2)}`,
    logs: [transferLog(token, to, amount)],
  })

/** A native payment. */
export const nativeTx = (to: string, value: bigint): FakeTx => fakeTx({ to, value })

export class FakeChain {
  /** The header time of the next block. */
  secondsAt = (number: number): number => 1_700_000_000 + number
  /** Every block ever made, including orphans. */
  readonly #blocks = new Map<string, FakeBlock>()
  #canonical: FakeBlock[] = []

  constructor(name = `chain ${++made}`, startNumber = 0) {
    this.#canonical.length = startNumber
    this.#add({ parentHash: word('0'), number: startNumber, transactions: [], seed: name })
  }

  get head(): FakeBlock {
    const head = this.#canonical.at(-1)
    if (head === undefined) throw new Error('a chain has a genesis')
    return head
  }

  get genesis(): FakeBlock | undefined {
    return this.#canonical.find((block) => block !== undefined)
  }

  at = (number: number): FakeBlock | undefined => this.#canonical[number]
  byHash = (blockHash: string): FakeBlock | undefined => this.#blocks.get(blockHash)

  /** The canonical block that holds a transaction. */
  blockOf = (txHash: string): FakeBlock | undefined =>
    this.#canonical.findLast((block) => block?.transactions.some((tx) => tx.hash === txHash))

  mine(transactions: readonly FakeTx[] = []): FakeBlock {
    const { hash: parentHash, number } = this.head
    return this.#add({ parentHash, number: number + 1, transactions, seed: `block ${++made}` })
  }

  /** Takes the last blocks off the canonical chain. They stay known by hash; the next is a fork. */
  rewind(blocks: number): readonly FakeBlock[] {
    return this.#canonical.splice(-blocks)
  }

  /** A copy of the chain for another node: from here on each grows independently. */
  fork(): FakeChain {
    const other = new FakeChain()
    for (const [known, block] of this.#blocks) other.#blocks.set(known, block)
    other.#canonical = [...this.#canonical]
    return other
  }

  /** Makes a known branch canonical again, or a branch that another copy of this chain mined. */
  adopt(blocks: readonly FakeBlock[]): void {
    for (const block of blocks) this.#blocks.set(block.hash, block)
    this.#canonical.push(...blocks)
  }

  #add(parts: {
    parentHash: string
    number: number
    transactions: readonly FakeTx[]
    seed: string
  }): FakeBlock {
    const block: FakeBlock = {
      number: parts.number,
      hash: hash(parts.seed),
      parentHash: parts.parentHash,
      timestamp: this.secondsAt(parts.number),
      transactions: parts.transactions,
      logsBloom: bloomOf(parts.transactions.flatMap((tx) => tx.logs)),
    }
    this.#blocks.set(block.hash, block)
    this.#canonical.push(block)
    return block
  }
}

/** The bloom filter of the yellow paper, written independently of the code under test. */
function bloomOf(logs: readonly FakeLog[]): string {
  const bits = new Uint8Array(256)
  for (const item of logs.flatMap((log) => [log.address, ...log.topics])) {
    const digest = hashOf(item)
    for (const pair of [0, 2, 4]) {
      const bit = ((digest[pair] ?? 0) * 256 + (digest[pair + 1] ?? 0)) % 2048
      const byte = 255 - Math.floor(bit / 8)
      bits[byte] = (bits[byte] ?? 0) | (2 ** (bit % 8))
    }
  }
  return `0x${Buffer.from(bits).toString('hex')}`
}
