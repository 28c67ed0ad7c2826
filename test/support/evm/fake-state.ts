/**
 * The state of a fake node beside its blocks: balances, nonces, traces and its pool, each shown or
 * refused as the test sets it. Balances are summed from the blocks, independently of the code under
 * test.
 */
import { decodeFunctionData, encodeFunctionResult, type Hex, multicall3Abi } from 'viem'
import type { FakeBlock, FakeChain, FakeMove, FakeTx } from './fake-chain.ts'
import { Refused, transactionJson } from './fake-wire.ts'

/** The node that the state belongs to. */
interface Node {
  readonly chain: FakeChain
  readonly pool: ReadonlyMap<string, FakeTx>
}

export class FakeState {
  readonly #node: Node
  /** The block of Multicall3's deployment. */
  multicall3: string | null = null
  traces: 'call_tree' | 'flat' | 'none' = 'none'
  pool: 'content' | 'list' | 'block' | 'none' = 'none'
  /** Whether state can be requested by block hash (EIP-1898). */
  byHash = true
  /** State of blocks below this is pruned. */
  since = 0
  /** Nonces that were used without a transaction in a block, by sender. */
  readonly usedUp = new Map<string, number>()

  constructor(node: Node) {
    this.#node = node
  }

  /** Undefined for a method that it does not handle. */
  answer(method: string, params: readonly unknown[]): unknown {
    const [first, second] = params
    switch (method) {
      case 'eth_getBalance':
        return this.#at(second, (block) => quantity(this.balanceOf(String(first), block)))
      case 'eth_getTransactionCount':
        return this.#at(second, (block) => quantity(this.#countOf(String(first), block)))
      case 'eth_call':
        return this.#at(second, (block) => this.#call(first as { to: string; data: Hex }, block))
      case 'debug_traceBlockByHash':
        return this.traces === 'call_tree' ? this.#callTrees(String(first)) : undefined
      case 'trace_block':
        return this.traces === 'flat' ? this.#flatTraces(Number(first)) : undefined
      case 'txpool_status':
        return this.pool === 'content'
          ? { pending: quantity(this.#pooled.length), queued: '0x0' }
          : undefined
      case 'txpool_content':
        return this.pool === 'content' ? { pending: this.#bySender(), queued: {} } : undefined
      case 'eth_pendingTransactions':
        return this.pool === 'list' ? this.#pooled : undefined
      default:
        return undefined
    }
  }

  pendingBlock(): unknown {
    return this.pool === 'block' ? { number: null, hash: null, transactions: this.#pooled } : null
  }

  balanceOf(address: string, block: FakeBlock): bigint {
    return this.#upTo(block)
      .flatMap((one) => one.transactions)
      .flatMap(moved)
      .reduce((sum, { from, to, value }) => {
        return sum + (to === address ? value : 0n) - (from === address ? value : 0n)
      }, 0n)
  }

  get #pooled() {
    return [...this.#node.pool.values()].map((tx) => transactionJson(tx, null))
  }

  #bySender() {
    const bySender: Record<string, Record<string, unknown>> = {}
    for (const tx of this.#pooled) {
      bySender[tx.from] = { ...bySender[tx.from], [Number(tx.nonce)]: tx }
    }
    return bySender
  }

  #at(which: unknown, read: (block: FakeBlock) => unknown): unknown {
    const { blockHash } = typeof which === 'object' ? (which as { blockHash: string }) : {}
    if (blockHash !== undefined && !this.byHash) return new Refused(-32602, 'invalid argument')
    const { chain } = this.#node
    const block = blockHash === undefined ? chain.at(Number(which)) : chain.byHash(blockHash)
    if (block === undefined) return new Refused(-32000, 'header not found')
    if (block.number < this.since) return new Refused(-32000, 'missing trie node')
    return read(block)
  }

  #upTo(block: FakeBlock): FakeBlock[] {
    const blocks: FakeBlock[] = []
    let at: FakeBlock | undefined = block
    for (; at !== undefined; at = this.#node.chain.byHash(at.parentHash)) blocks.push(at)
    return blocks
  }

  #countOf(sender: string, block: FakeBlock): number {
    const nonces = this.#upTo(block)
      .flatMap((one) => one.transactions)
      .filter((tx) => tx.from === sender)
      .map((tx) => tx.nonce + 1)
    return Math.max(0, this.usedUp.get(sender) ?? 0, ...nonces)
  }

  #call({ to, data }: { to: string; data: Hex }, block: FakeBlock): unknown {
    if (to !== this.multicall3) return '0x'
    const { args } = decodeFunctionData({ abi: multicall3Abi, data })
    // The follower calls only one function: it takes calls, each with one address.
    const calls = args?.[0] as readonly { callData: Hex }[]
    const result = calls.map(({ callData }) => {
      const inner = decodeFunctionData({ abi: multicall3Abi, data: callData })
      const address = String(inner.args?.[0]).toLowerCase()
      const balance = this.balanceOf(address, block).toString(16).padStart(64, '0')
      return { success: true, returnData: `0x${balance}` as Hex }
    })
    return encodeFunctionResult({ abi: multicall3Abi, functionName: 'aggregate3', result })
  }

  #callTrees(blockHash: string): unknown {
    const block = this.#node.chain.byHash(blockHash)
    if (block === undefined) return new Refused(-32000, 'block not found')
    return block.transactions.map((tx) => ({ txHash: tx.hash, result: frame(root(tx)) }))
  }

  #flatTraces(number: number): unknown {
    const block = this.#node.chain.at(number)
    if (block === undefined) return null
    return block.transactions.flatMap((tx) =>
      flat(root(tx), []).map((trace) => ({
        ...trace,
        blockHash: block.hash,
        transactionHash: tx.hash,
      })),
    )
  }
}

const root = (tx: FakeTx): FakeMove => ({
  from: tx.from,
  to: tx.to ?? tx.from,
  value: tx.value,
  undone: tx.reverted,
  calls: tx.calls,
})

/** The effective moves: an undone call also undoes its inner calls. */
const moved = (tx: FakeTx): FakeMove[] => kept(root(tx))
const kept = (move: FakeMove): FakeMove[] =>
  move.undone ? [] : [move, ...(move.calls ?? []).flatMap(kept)]

const frame = (move: FakeMove): unknown => ({
  type: 'CALL',
  from: move.from,
  to: move.to,
  value: quantity(move.value),
  ...(move.undone ? { error: 'execution reverted' } : {}),
  calls: move.calls?.map(frame),
})

const flat = (move: FakeMove, path: readonly number[]): object[] => [
  {
    type: 'call',
    action: { callType: 'call', from: move.from, to: move.to, value: quantity(move.value) },
    traceAddress: path,
    ...(move.undone ? { error: 'Reverted' } : {}),
  },
  ...(move.calls ?? []).flatMap((call, at) => flat(call, [...path, at])),
]

const quantity = (count: number | bigint): string => `0x${count.toString(16)}`
