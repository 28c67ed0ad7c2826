import type { SeenTransfer } from '@settlewire/core/observation'
import type { Clock, Log } from '../../../ports.ts'
import { inParallel } from '../in-parallel.ts'
import type { EvmNode } from '../node.ts'
import { receiptOf, receiptsAtOnce } from '../receipts.ts'
import type { BlockContents } from '../verdict.ts'
import { balancesAt } from './balances.ts'
import { type Move, tracedMoves } from './trace.ts'

interface Parts {
  readonly multicall3: string | null
  readonly clock: Clock
  readonly log: Log | null
}

type Balances = ReadonlyMap<string, bigint>

/** Addresses asked for per block; of more, each has its turn, and what came between is found then. */
const addressesMax = { together: 10_000, single: 64 }
const blocksAtOnce = 4
/** A node whose traces end its connection, or its patience, is not asked a third time for a block. */
const triesMax = 2
const againMs = [30, 120]
const noOne = `0x${'0'.repeat(40)}`

/**
 * Finds what contracts paid in the native coin, which leaves no log: the balance of each address
 * after a block, against the balance before and what the transactions themselves carried. What is
 * left over is looked for in a trace; where none is offered it is told as the block's, without a
 * transaction. Money that left in the same block hides nothing from a trace; without one only what
 * came in over what went out is seen, and never more than came in.
 *
 * What a block held before is what was read after its parent. Where a node has not got that state
 * any more, the last known balance is carried on, and the first block that can be read is charged.
 */
export class InnerPayments {
  readonly #parts: Parts
  /** Balances as they must be after a block, unless contracts moved something. */
  #book: { readonly hash: string; readonly balances: Balances } | null = null
  #turn = 0
  #saidUnread = false
  readonly #tries = new Map<string, number>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Fills in `inner` of each block. The blocks are a chain, oldest first, read with their values. */
  async find(
    node: EvmNode,
    blocks: readonly BlockContents[],
    addresses: readonly string[],
  ): Promise<void> {
    const [first] = blocks
    if (first === undefined || addresses.length === 0) return
    const asked = this.#inTurn(addresses)
    const after = await inParallel([...blocks.entries()], blocksAtOnce, ([at, block]) =>
      this.#balances(node, asked, { ...block.header.ref, patient: at >= blocks.length - 2 }),
    )
    const watched = new Set(addresses)
    const expected = await this.#before(node, first, { asked, watched, after: after[0] ?? null })
    for (const [at, block] of blocks.entries()) {
      const tops = await topsOf(node, block, watched)
      const odd = settle(asked, { expected, tops, actual: after[at] ?? null, block })
      if (odd.size > 0) block.inner = await this.#explain(node, block, { odd, watched })
    }
    this.#book = { hash: blocks.at(-1)?.header.ref.hash ?? '', balances: expected }
  }

  #inTurn(addresses: readonly string[]): readonly string[] {
    const max = this.#parts.multicall3 === null ? addressesMax.single : addressesMax.together
    if (addresses.length <= max) return addresses
    const from = (this.#turn++ * max) % addresses.length
    return [...addresses.slice(from), ...addresses.slice(0, from)].slice(0, max)
  }

  /** A node that lags may not have the state of its newest block at once; of old blocks it is gone. */
  async #balances(
    node: EvmNode,
    addresses: readonly string[],
    block: { hash: string; number: number; patient: boolean },
  ): Promise<Balances | null> {
    const { multicall3, clock } = this.#parts
    for (const waitMs of [0, ...(block.patient ? againMs : [])]) {
      if (waitMs > 0) await clock.sleep(waitMs)
      const balances = await balancesAt(node, { addresses, multicall3 }, block)
      if (balances !== null) return balances
    }
    return null
  }

  /** What each address held before the first block, as far as that can matter. */
  async #before(
    node: EvmNode,
    first: BlockContents,
    {
      asked,
      watched,
      after,
    }: { asked: readonly string[]; watched: ReadonlySet<string>; after: Balances | null },
  ): Promise<Map<string, bigint>> {
    const { parentHash, number } = first.header.ref
    const book = this.#book?.hash === parentHash ? this.#book.balances : []
    const known = new Map([...book].filter(([address]) => watched.has(address)))
    const unknown = asked.filter((address) => !known.has(address))
    // What holds nothing after the block was paid nothing that stayed.
    const empty = unknown.filter((address) => after?.get(address) === 0n)
    const needed = unknown.filter((address) => after?.get(address) !== 0n)
    for (const address of empty) known.set(address, 0n)
    if (needed.length === 0) return known
    const parent = { hash: parentHash, number: number - 1, patient: true }
    const before = await this.#balances(node, needed, parent)
    for (const [address, balance] of before ?? []) known.set(address, balance)
    if (before === null && !this.#saidUnread) {
      this.#saidUnread = true
      this.#parts.log?.warn(
        { head: number },
        'the node lacks earlier balances; what contracts paid before this block is not seen',
      )
    }
    return known
  }

  async #explain(
    node: EvmNode,
    block: BlockContents,
    { odd, watched }: { odd: ReadonlyMap<string, bigint>; watched: ReadonlySet<string> },
  ): Promise<readonly SeenTransfer[]> {
    const moves = await this.#trace(node, block)
    const inner = (moves ?? []).filter(({ to }) => watched.has(to))
    const senders = new Set([...(block.values ?? []), ...(moves ?? [])].map(({ from }) => from))
    const told = inner.map(({ path, ...move }): SeenTransfer => {
      return { ...move, token: null, ordinal: `trace:${path}` }
    })
    const txHash = `balance:${block.header.ref.hash}`
    for (const [to, amount] of odd) {
      const traced = inner
        .filter((move) => move.to === to)
        .reduce((sum, one) => sum + one.amount, 0n)
      const left = amount - traced
      // A trace is exact, but for what is no transaction: a withdrawal, or a block not asked about.
      if (left <= 0n || (moves !== null && senders.has(to))) continue
      told.push({ txHash, ordinal: 'balance', token: null, from: noOne, to, amount: left })
    }
    return told
  }

  async #trace(
    node: EvmNode,
    { header, txHashes }: BlockContents,
  ): Promise<readonly Move[] | null> {
    const { hash } = header.ref
    const tries = this.#tries.get(hash) ?? 0
    if (tries >= triesMax) return null
    if (this.#tries.size > 1_000) this.#tries.clear()
    this.#tries.set(hash, tries + 1)
    const moves = await tracedMoves(node, { ref: header.ref, txHashes })
    this.#tries.delete(hash)
    return moves
  }
}

/** What successful transactions themselves carried to each address. Reads receipts as needed. */
async function topsOf(
  node: EvmNode,
  block: BlockContents,
  watched: ReadonlySet<string>,
): Promise<Balances> {
  const values = (block.values ?? []).filter(({ to }) => watched.has(to))
  await inParallel(values, receiptsAtOnce, async ({ txHash }) => {
    if (block.receipts.has(txHash)) return
    block.receipts.set(txHash, await receiptOf(node, txHash, block.header.ref.hash))
  })
  const tops = new Map<string, bigint>()
  for (const { to, txHash, amount } of values) {
    if (block.receipts.get(txHash)?.succeeded) tops.set(to, (tops.get(to) ?? 0n) + amount)
  }
  return tops
}

/**
 * Brings what is expected up to what is there, and answers the addresses where that takes an
 * explanation, with what came in over what is known. Where money left on the way, or where nothing
 * is known of before, the balance alone cannot say; a trace may.
 */
function settle(
  asked: readonly string[],
  now: {
    readonly expected: Map<string, bigint>
    readonly tops: Balances
    readonly actual: Balances | null
    readonly block: BlockContents
  },
): ReadonlyMap<string, bigint> {
  const { expected, tops, actual, block } = now
  for (const [address, amount] of tops) {
    const before = expected.get(address)
    if (before !== undefined) expected.set(address, before + amount)
  }
  const odd = new Map<string, bigint>()
  const senders = new Set((block.values ?? []).map(({ from }) => from))
  for (const address of actual === null ? [] : asked) {
    const there = actual?.get(address) ?? 0n
    const thought = expected.get(address)
    const surplus = thought === undefined ? 0n : there - thought
    const unknown = thought === undefined && there > 0n
    if (surplus !== 0n || unknown || senders.has(address)) odd.set(address, surplus)
    expected.set(address, there)
  }
  return odd
}
