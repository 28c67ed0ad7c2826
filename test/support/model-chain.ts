import type { BlockRef, Contest, SeenTransfer } from '@settlewire/core/payment/observation'
import type {
  AppliedBlock,
  ChainSink,
  ChainStep,
  LookUp,
  Sighting,
  Visibility,
  WatchSet,
} from '../../server/src/ports/chain.ts'
import type { ChainPosition, Unfinished } from '../../server/src/ports/history.ts'
import { bornAt, payer, usdc } from './payments.ts'

/** A transaction and its effect: the transfers it makes, or that it fails. */
export interface ModelTransaction {
  readonly txHash: string
  readonly pays: readonly { to: string; amount: bigint; token?: string | null }[]
  readonly reverts?: boolean
  /** Left out when the node does not report it. */
  readonly contest?: Contest
  readonly preconfirmed?: boolean
}

interface ModelBlock {
  readonly ref: BlockRef
  readonly transactions: readonly ModelTransaction[]
}

/**
 * A chain that the test controls completely, and its follower: `deliver` gives a sink one step from
 * its position to the canonical chain, as the port guarantees.
 */
export class ModelChain {
  readonly name: string
  readonly mempool = new Map<string, ModelTransaction>()
  /** Blocks below this never change; null while the chain has no finality. */
  finalizedDepth: number | null = 8
  /** Providers that are up; and those that show each receipt with the step, default: the first. */
  witnesses = 1
  sources: readonly string[] | null = null
  /** Providers that deny each receipt with the step. */
  deniedBy: readonly string[] = []
  readonly #blockMs: number
  #canonical: ModelBlock[]
  #told: readonly BlockRef[]
  #unfinished: Unfinished | undefined
  #view = 0
  #forks = 0

  constructor(name = 'local', options: { startAt?: number; blockMs?: number } = {}) {
    this.name = name
    this.#blockMs = options.blockMs ?? 2_000
    const minedAt = options.startAt ?? bornAt
    const ref = { number: 0, hash: `0x${name}0`, parentHash: '0x', minedAt }
    this.#canonical = [{ ref, transactions: [] }]
    this.#told = [ref]
  }

  get genesis(): BlockRef {
    return this.#at(0).ref
  }

  get tip(): BlockRef {
    return this.#at(this.#canonical.length - 1).ref
  }

  /** The transactions on the canonical chain, oldest first. */
  get included(): readonly { block: BlockRef; transaction: ModelTransaction }[] {
    return this.#canonical.flatMap(({ ref, transactions }) =>
      transactions.map((transaction) => ({ block: ref, transaction })),
    )
  }

  /** Mines one block, and empty ones on top of it. Its transactions leave the mempool. */
  mine(transactions: readonly ModelTransaction[] = [], blocks = 1): void {
    this.#add(transactions, this.tip.minedAt + this.#blockMs)
    for (let i = 1; i < blocks; i++) this.#add([], this.tip.minedAt + this.#blockMs)
  }

  /** Mines one empty block at this time; no block is mined before it. */
  mineAt(minedAt: number): void {
    this.#add([], minedAt)
  }

  /**
   * Drops the last blocks and returns their transactions, on request also to the mempool.
   * Transactions that no delivered block held stay in it: no provider can show that they are gone.
   */
  fork(depth: number, returns = true): readonly ModelTransaction[] {
    this.#forks++
    const dropped = this.#canonical.splice(this.#canonical.length - depth)
    const transactions = dropped.flatMap((block) => block.transactions)
    const told = new Set(this.#told.map((ref) => ref.hash))
    for (const { ref, transactions } of dropped) {
      if (!returns && told.has(ref.hash)) continue
      for (const each of transactions) this.mempool.set(each.txHash, each)
    }
    return transactions
  }

  /** Saves the present canonical chain, to restore it later. */
  branch(): readonly ModelBlock[] {
    return [...this.#canonical]
  }

  /** Makes this branch canonical again; its transactions leave the mempool. */
  become(branch: readonly ModelBlock[]): void {
    this.#canonical = [...branch]
    for (const { transactions } of branch)
      for (const { txHash } of transactions) this.mempool.delete(txHash)
  }

  /** Sets the position from which a follower begins after a crash: the one in the store. */
  resumeAt(position: Pick<ChainPosition, 'head' | 'recent' | 'unfinished'>): void {
    this.#view = position.head.view
    this.#unfinished = position.unfinished
    this.#told = [...position.recent].reverse()
  }

  /** Delivers a pending transaction to the sink. */
  broadcast(sink: ChainSink, transaction: ModelTransaction): void {
    this.mempool.set(transaction.txHash, transaction)
    sink.pending(this.name, `rpc:${this.name}`, sightingsOf(transaction))
  }

  /** Delivers the visibility of this chain to the sink. */
  tell(sink: ChainSink, visibility: Visibility): void {
    const reason = visibility === 'ok' ? null : 'socket_down'
    sink.health({ chain: this.name, visibility, reason, head: this.tip.number, headAt: null })
  }

  /** A node's answer about a transaction: for a pending one, its first transfer. */
  lookUp(txHash: string): LookUp {
    const source = `rpc:${this.name}`
    const mined = this.included.find(({ transaction }) => transaction.txHash === txHash)
    if (mined !== undefined) return { kind: 'mined', source, blockNumber: mined.block.number }
    const pending = this.mempool.get(txHash)
    if (pending === undefined) return { kind: 'not_found' }
    return { kind: 'pending', source, sighting: sightingsOf(pending)[0] ?? null }
  }

  /** The next step for the watch set `watch`. Null when nothing has changed. */
  next(watch: WatchSet): ChainStep | null {
    const canonical = new Set(this.#canonical.map((block) => block.ref.hash))
    const left = [...this.#told, ...(this.#unfinished?.blocks ?? [])]
    const reverted = left
      .filter((ref) => !canonical.has(ref.hash))
      .sort((a, b) => b.number - a.number)
    const told = new Set(this.#told.map((ref) => ref.hash))
    const from = this.#told[0]?.number ?? 0
    const applied = this.#canonical.filter(({ ref }) => ref.number > from && !told.has(ref.hash))
    if (reverted.length === 0 && applied.length === 0) return null
    const head = this.tip.number
    const depth = this.finalizedDepth
    const finalized = depth === null ? null : Math.max(0, head - depth)
    return {
      ...{ source: `rpc:${this.name}`, at: this.tip.minedAt, reverted },
      pendingAgain: new Set([...this.mempool.keys()].filter((txHash) => watch.tracks(txHash))),
      applied: this.#withUsedSlots(
        watch,
        applied.map((block) => this.#withSources(seenThrough(watch, block))),
      ),
      ...(this.#unfinished !== undefined && { unfinished: this.#unfinished }),
      head: {
        ...{ view: this.#view + 1, head, safe: finalized, finalized },
        ...(this.witnesses !== 1 && { witnesses: this.witnesses }),
      },
    }
  }

  /** Delivers to the sink, and moves on only past steps that it has stored. */
  async deliver(sink: ChainSink, watch: WatchSet): Promise<ChainStep | null> {
    if (this.next(watch) === null) return null
    await sink.prepare(this.name)
    const step = this.next(watch)
    if (step === null) return null
    await sink.step(this.name, step)
    const gone = new Set(step.reverted.map((ref) => ref.hash))
    this.#told = [
      ...this.#told.filter((ref) => !gone.has(ref.hash)),
      ...step.applied.map(({ block }) => block),
    ]
    this.#view++
    this.#unfinished = undefined
    return step
  }

  #withSources(applied: AppliedBlock): AppliedBlock {
    const { sources, deniedBy } = this
    const ofEach = <Said>(said: Said) =>
      new Map(applied.transfers.map(({ txHash }) => [txHash, said]))
    return {
      ...applied,
      ...(sources !== null && { sources: ofEach(sources) }),
      ...(deniedBy.length > 0 && { deniedBy: ofEach(deniedBy) }),
    }
  }

  /** The transaction count of each sender as of the last block, as a node reports it. */
  #withUsedSlots(watch: WatchSet, applied: readonly AppliedBlock[]): readonly AppliedBlock[] {
    const last = applied.at(-1)
    if (last === undefined) return applied
    const mined = this.included.map(({ transaction }) => transaction)
    const hashes = new Set(mined.map(({ txHash }) => txHash))
    const used = new Set(
      mined.flatMap(({ contest }) => (contest === undefined ? [] : [contest.key])),
    )
    const replaced = [...watch.openContests()]
      .filter((open) => used.has(open.key) && !hashes.has(open.txHash))
      .map(({ txHash }) => ({ txHash, reason: 'replaced' as const }))
    const movedNothing = [...last.movedNothing, ...replaced]
    return [...applied.slice(0, -1), { ...last, movedNothing }]
  }

  #add(wanted: readonly ModelTransaction[], minedAt: number): void {
    // A nonce is used once, so a transaction is never mined twice on one branch.
    const mined = new Set(this.included.map(({ transaction }) => transaction.txHash))
    const transactions = wanted.filter(({ txHash }) => !mined.has(txHash))
    for (const { txHash } of transactions) this.mempool.delete(txHash)
    const number = this.tip.number + 1
    const hash = `0x${this.name}${number}f${this.#forks}`
    const ref = { number, hash, parentHash: this.tip.hash, minedAt }
    this.#canonical.push({ ref, transactions })
  }

  #at(index: number): ModelBlock {
    const block = this.#canonical[index]
    if (block === undefined) throw new Error(`no block ${index}`)
    return block
  }
}

function transferOf(
  { txHash, pays }: ModelTransaction,
  index: number,
  part: SeenTransfer['part'],
): SeenTransfer {
  const pay = pays[index]
  if (pay === undefined) throw new Error(`no transfer ${index}`)
  const token = pay.token === undefined ? usdc : pay.token
  return { txHash, part, token, from: payer, to: pay.to, amount: pay.amount }
}

/** The transfers that a follower finds in a block for these addresses and transactions. */
function seenThrough(watch: WatchSet, { ref, transactions }: ModelBlock): AppliedBlock {
  const transfers: SeenTransfer[] = []
  const movedNothing: AppliedBlock['movedNothing'][number][] = []
  for (const transaction of transactions) {
    const found = transaction.reverts
      ? []
      : transaction.pays
          .map((_, i) => transferOf(transaction, i, i))
          .filter((transfer) => watch.has(transfer.to))
    transfers.push(...found)
    if (found.length > 0 || !watch.tracks(transaction.txHash)) continue
    const reason = transaction.reverts ? 'reverted' : 'paid_elsewhere'
    movedNothing.push({ txHash: transaction.txHash, reason })
  }
  const calls = new Map(
    transactions.flatMap(({ txHash, contest }) =>
      contest === undefined ? [] : [[txHash, { hint: null, contest }] as const],
    ),
  )
  return { block: ref, transfers, movedNothing, calls }
}

/** A pending transaction as a node shows it: its payments, or only its contest key. */
function sightingsOf(transaction: ModelTransaction): readonly Sighting[] {
  const { txHash, pays, contest = null, preconfirmed = false } = transaction
  const hints = pays.map((_, i) => transferOf(transaction, i, 'hint'))
  const seen = { txHash, contest, preconfirmed }
  if (hints.length === 0) return contest === null ? [] : [{ ...seen, transfer: null }]
  return hints.map((transfer) => ({ ...seen, transfer }))
}

/** A pending transaction as shown by a node that reports no contests. */
export const sightingOf = (transfer: SeenTransfer): Sighting => ({
  ...{ txHash: transfer.txHash, transfer, contest: null, preconfirmed: false },
})
