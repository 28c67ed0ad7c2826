import type { SeenTransfer } from '@settlewire/core/payment/observation'
import { LRUCache } from 'lru-cache'
import type { WatchSet } from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Log } from '../../../ports/log.ts'
import { fetchReceipts } from '../block/receipts.ts'
import type { BlockContents } from '../block/verdict.ts'
import { inParallel } from '../node/in-parallel.ts'
import type { EvmNode } from '../node/node.ts'
import { BalanceBook, type Balances, reconcileBalances } from './balance-book.ts'
import { balancesAt } from './balances.ts'
import { tracedMoves } from './trace.ts'

interface InnerPaymentsParts {
  readonly multicall3: string | null
  readonly watch: Pick<WatchSet, 'nativeOnRecord'>
  readonly clock: Clock
  readonly log: Log | null
}

/**
 * The most addresses read per block. If there are more, they take turns, and payments between two
 * turns are found at the next one.
 */
const addressesMax = { together: 10_000, single: 64 }
const blocksAtOnce = 4
/** A trace may cost the node its connection or time out: after two such failures it is given up. */
const triesMax = 2
const retryAfterMs = [30, 120]
const noOne = `0x${'0'.repeat(40)}`

/**
 * Finds native coin paid by contracts, which leaves no log: compares the balance of each address
 * after a block with its balance before and what the transactions themselves carried. A trace is
 * searched for any surplus, and where the balance alone proves nothing (the address sent coin, or
 * its balance before is unknown). Where none is offered, the surplus is reported for the block,
 * without a transaction. A trace also shows money that left in the same block; without one only the
 * increase is seen, and never more than came in.
 *
 * The balance before a block is the one read after its parent. If a node no longer has that state,
 * it is the incoming amount on record: an address belongs to one payment forever, and what leaves
 * it only lowers its balance, so any balance beyond the record is unreported money. It is carried
 * over unreadable blocks and credited in the first readable one.
 */
export class InnerPayments {
  readonly #parts: InnerPaymentsParts
  readonly #book = new BalanceBook()
  #isUnread = false
  #hasLoggedLost = false
  /** The number of tries by block hash. */
  readonly #tries = new LRUCache<string, number>({ max: 1_000 })

  constructor(parts: InnerPaymentsParts) {
    this.#parts = parts
  }

  /**
   * Whether contract payments may be missing: the balances after the last block, or earlier ones of
   * an address, could not be read.
   */
  get isUnread(): boolean {
    return this.#isUnread
  }

  /**
   * Fills in `inner` of each block. The blocks are a chain, oldest first, read with their values.
   */
  async find(
    node: EvmNode,
    blocks: readonly BlockContents[],
    addresses: readonly string[],
  ): Promise<void> {
    const [first, last] = [blocks[0], blocks.at(-1)]
    if (first === undefined || last === undefined) return
    const { multicall3 } = this.#parts
    const max = multicall3 === null ? addressesMax.single : addressesMax.together
    const chosen = this.#book.inTurn(addresses, max)
    const watched = new Set(addresses)
    const [end, tops] = await Promise.all([
      this.#balances(node, chosen, { ...last.header.ref, patient: true }),
      inParallel(blocks, blocksAtOnce, (block) => topsOf(node, block, watched)),
    ])
    const expected = await this.#before(node, first, { chosen, watched, after: end })
    const moved = unexplained(chosen, { end, expected, tops, blocks })
    const after = await this.#afterEach(node, blocks, { addresses: moved, end })
    let missed: BlockContents[] = []
    for (const [at, block] of blocks.entries()) {
      const actual = after[at] ?? null
      const odd = reconcileBalances(moved, { expected, tops: tops[at] ?? new Map(), actual, block })
      if (odd.size > 0) {
        await this.#explain(node, [...missed, block], { odd, watched })
        carry([...missed, block], expected, new Set(chosen))
      }
      missed = actual === null ? [...missed, block] : []
      const isWhole = chosen.length === addresses.length && chosen.every((one) => expected.has(one))
      this.#book.passed(block.header.ref.hash, actual !== null && isWhole)
    }
    this.#book.replace(last.header.ref.hash, expected, watched)
    this.#isUnread = missed.length > 0 || chosen.some((address) => !expected.has(address))
  }

  /**
   * The balances of these addresses after each block; null where unreadable. Nodes discard the
   * oldest state first: when the newest two are missing, the others are not asked for.
   */
  async #afterEach(
    node: EvmNode,
    blocks: readonly BlockContents[],
    { addresses, end }: { readonly addresses: readonly string[]; readonly end: Balances | null },
  ): Promise<readonly (Balances | null)[]> {
    if (addresses.length === 0) return blocks.map(() => new Map())
    const [last, ...older] = blocks.toReversed()
    const [before, ...rest] = older
    const read = ({ header }: BlockContents, patient = false) =>
      this.#balances(node, addresses, { ...header.ref, patient })
    if (last === undefined || before === undefined) return [end]
    const newest = await read(before, true)
    if (end === null && newest === null) return blocks.map(() => null)
    const others = await inParallel(rest, blocksAtOnce, (block) => read(block))
    return [end, newest, ...others].toReversed()
  }

  /**
   * A lagging node may lack the state of its newest block for a moment, so that is asked for again;
   * the state of old blocks is gone.
   */
  async #balances(
    node: EvmNode,
    addresses: readonly string[],
    block: { hash: string; number: number; patient: boolean },
  ): Promise<Balances | null> {
    const { multicall3, clock } = this.#parts
    for (const waitMs of [0, ...(block.patient ? retryAfterMs : [])]) {
      if (waitMs > 0) await clock.sleep(waitMs)
      const balances = await balancesAt(node, { addresses, multicall3 }, block)
      if (balances !== null) return balances
    }
    return null
  }

  /** The balance of each address before the first block, where it matters and can be known. */
  async #before(
    node: EvmNode,
    first: BlockContents,
    of: { chosen: readonly string[]; watched: ReadonlySet<string>; after: Balances | null },
  ): Promise<Map<string, bigint>> {
    const { parentHash, number } = first.header.ref
    const known = this.#book.after(parentHash, of.watched)
    const holding: string[] = []
    for (const address of of.chosen.filter((one) => !known.has(one))) {
      // An address that is empty after the block kept no payment from it.
      if (of.after?.get(address) === 0n) known.set(address, 0n)
      else holding.push(address)
    }
    const readable = holding.filter((address) => !this.#book.isOwed(address, parentHash))
    const parent = { hash: parentHash, number: number - 1, patient: true }
    const before = readable.length === 0 ? null : await this.#balances(node, readable, parent)
    if (readable.length > 0 && before === null) this.#logLost(number)
    for (const address of holding) {
      const balance =
        before?.get(address) ?? this.#parts.watch.nativeOnRecord(address, parent.number)
      if (balance !== null) known.set(address, balance)
    }
    return known
  }

  #logLost(head: number): void {
    if (this.#hasLoggedLost) return
    this.#hasLoggedLost = true
    const message =
      'the node lacks earlier balances; balances beyond the record count as paid by contracts'
    this.#parts.log?.warn({ head }, message)
  }

  /** Fills in `inner` of the last block, and of earlier blocks that could not be read in time. */
  async #explain(
    node: EvmNode,
    blocks: readonly BlockContents[],
    { odd, watched }: { odd: ReadonlyMap<string, bigint>; watched: ReadonlySet<string> },
  ): Promise<void> {
    const left = new Map([...odd].filter(([, surplus]) => surplus > 0n))
    // Newest first, since nodes keep recent traces longest: the first missing one ends the search.
    for (const [back, block] of blocks.toReversed().entries()) {
      if (back > 0 && left.size === 0) break
      const inner = await this.#traced(node, block, { watched, tries: back > 0 ? 1 : triesMax })
      if (inner === null) break
      block.inner = inner
      for (const { to, amount } of inner) {
        const still = (left.get(to) ?? 0n) - amount
        if (still > 0n) left.set(to, still)
        else left.delete(to)
      }
    }
    const charged = blocks.at(-1)
    if (charged === undefined) return
    // A trace is exact, except for coin that no transaction moved, such as a withdrawal, and blocks
    // that were not traced.
    const txHash = `balance:${charged.header.ref.hash}`
    const untraced = [...left].map(([to, amount]): SeenTransfer => {
      return { txHash, part: 'balance', token: null, from: noOne, to, amount }
    })
    charged.inner = [...charged.inner, ...untraced]
  }

  /** Null when no trace is available. */
  async #traced(
    node: EvmNode,
    { header, txHashes }: BlockContents,
    of: { readonly watched: ReadonlySet<string>; readonly tries: number },
  ): Promise<readonly SeenTransfer[] | null> {
    const { hash } = header.ref
    const tries = this.#tries.get(hash) ?? 0
    if (tries >= of.tries) return null
    this.#tries.set(hash, tries + 1)
    const moves = await tracedMoves(node, { ref: header.ref, txHashes })
    this.#tries.delete(hash)
    if (moves === null) return null
    return moves
      .filter(({ to }) => of.watched.has(to))
      .map(({ path, ...move }) => ({ ...move, token: null, part: `trace:${path}` as const }))
  }
}

/**
 * The addresses whose balance after these blocks differs from the balance before plus what
 * transactions themselves carried. The balance shows coin moved by contracts unless as much left
 * again, which only a sender can cause: for senders and unknown balances each block is checked.
 */
function unexplained(
  addresses: readonly string[],
  of: {
    readonly end: Balances | null
    readonly expected: Balances
    readonly tops: readonly Balances[]
    readonly blocks: readonly BlockContents[]
  },
): readonly string[] {
  const { end, expected, tops, blocks } = of
  if (end === null) return addresses
  const senders = new Set(blocks.flatMap(({ values }) => (values ?? []).map(({ from }) => from)))
  const carried = new Map<string, bigint>()
  for (const [address, amount] of tops.flatMap((one) => [...one])) {
    carried.set(address, (carried.get(address) ?? 0n) + amount)
  }
  return addresses.filter((address) => {
    const before = expected.get(address)
    const isKnown = before !== undefined && !senders.has(address)
    return !isKnown || end.get(address) !== before + (carried.get(address) ?? 0n)
  })
}

/** Adds traced payments to the expected balances of addresses whose balance was not read. */
function carry(
  blocks: readonly BlockContents[],
  expected: Map<string, bigint>,
  chosen: ReadonlySet<string>,
): void {
  for (const { to, amount } of blocks.flatMap(({ inner }) => inner)) {
    const before = expected.get(to)
    if (before !== undefined && !chosen.has(to)) expected.set(to, before + amount)
  }
}

/** The value that successful transactions carried to each address. Fetches missing receipts. */
async function topsOf(
  node: EvmNode,
  block: BlockContents,
  watched: ReadonlySet<string>,
): Promise<Balances> {
  const values = (block.values ?? []).filter(({ to }) => watched.has(to))
  const { receipts, header } = block
  const missing = values.flatMap(({ txHash }) => (receipts.has(txHash) ? [] : txHash))
  await fetchReceipts(node, { blockHash: header.ref.hash, receipts }, missing)
  const tops = new Map<string, bigint>()
  for (const { to, txHash, amount } of values) {
    if (block.receipts.get(txHash)?.succeeded) tops.set(to, (tops.get(to) ?? 0n) + amount)
  }
  return tops
}
