import type { Chance } from './chance.ts'
import {
  addressOf,
  ancestorAt,
  bloomOf,
  branchOf,
  type Entry,
  hashOf,
  type ModelBlock,
  type ModelLog,
  type ModelTx,
  noiseName,
  slotOf,
  transferLog,
  transferTopic,
  word,
} from './model-block.ts'

export interface ChainRules {
  readonly name: string
  readonly chainId: number
  /** Allow-listed contracts; noise transactions use them too. */
  readonly tokens: readonly string[]
  readonly blockMs: number
  /** Depth of the finalized block below the head, and of the safe one, unless finality stalls. */
  readonly finalDepth: number
  readonly safeDepth: number
  /** False: no tags, so finality is by depth only, and no reorg is as deep as `finalDepth`. */
  readonly hasTags: boolean
}

const born = 1_767_225_600

/**
 * The true chain: its blocks on all branches, its pool, its finality. It does not know nodes or
 * followers. Its final content decides what the payments must become.
 */
export class ModelChain {
  readonly rules: ChainRules
  readonly genesis: ModelBlock
  /** Everything that may still be mined, public or not. */
  readonly pool = new Map<string, ModelTx>()
  head: ModelBlock
  finalized: ModelBlock
  safe: ModelBlock
  /** While true, no more blocks become safe or final. */
  isStalled = false
  /** Called at every new head. */
  onHead: () => void = () => undefined
  readonly #blocks = new Map<string, ModelBlock>()
  readonly #dropped = new Set<string>()
  readonly #nonces = new Map<string, number>()
  readonly #chance: Chance
  readonly #salt: string
  #made = 0
  /** The height of the highest block that any node ever had. */
  #peak = 0

  constructor(rules: ChainRules, chance: Chance, salt: string) {
    this.rules = rules
    this.#chance = chance
    this.#salt = `${salt} ${rules.name}`
    this.genesis = this.#build(null, [], born - 3_600)
    this.head = this.genesis
    this.finalized = this.genesis
    this.safe = this.genesis
  }

  byHash(blockHash: string): ModelBlock | null {
    return this.#blocks.get(blockHash) ?? null
  }

  /** The largest depth of a reorg now: it must not undo a block that ever counted as final. */
  get reorgMax(): number {
    const { hasTags, finalDepth } = this.rules
    const floor = hasTags ? this.finalized.number : this.#peak - finalDepth + 1
    return Math.min(this.head.number, Math.max(0, this.head.number - floor))
  }

  /** Mines a block on the head with the wanted entries that still fit, and noise between them. */
  mine(wanted: readonly Entry[], nowMs: number, silent: readonly string[] = []): ModelBlock {
    const block = this.extend(this.head, { wanted, nowMs, silent })
    this.head = block
    for (const { tx } of block.entries) this.pool.delete(tx.hash)
    this.#finalize()
    this.onHead()
    return block
  }

  /** Makes a block on any other block; the head does not move. */
  extend(
    parent: ModelBlock,
    made: { wanted: readonly Entry[]; nowMs: number; silent?: readonly string[] },
  ): ModelBlock {
    const used = usedSlots(parent)
    const fitting: Entry[] = []
    for (const entry of made.wanted) {
      const slot = slotOf(entry.tx)
      if (used.has(slot)) continue
      used.add(slot)
      fitting.push(entry)
    }
    const silent = (made.silent ?? []).filter((slot) => !used.has(slot))
    const timestamp = Math.max(parent.timestamp + 1, Math.floor(made.nowMs / 1_000))
    return this.#build(parent, this.#amongNoise(fitting), timestamp, silent)
  }

  /**
   * Removes blocks from the head. Their transactions become pending again or, if `forgets`, are
   * dropped. The head is then lower than before.
   */
  rewind(depth: number, forgets: (tx: ModelTx) => boolean): readonly ModelTx[] {
    const base = ancestorAt(this.head, this.head.number - depth)
    if (base === null) throw new Error('a reorg below the genesis')
    const undone: ModelTx[] = []
    for (const block of branchOf(this.head)) {
      if (block === base) break
      undone.push(...block.entries.map(({ tx }) => tx).filter((tx) => !isNoise(tx)))
    }
    this.head = base
    for (const tx of undone) {
      if (forgets(tx)) this.drop(tx.hash)
      else this.pool.set(tx.hash, tx)
    }
    return undone
  }

  /** The pool's transactions that could be mined on the head. */
  minable(): readonly ModelTx[] {
    const used = usedSlots(this.head)
    return [...this.pool.values()].filter((tx) => !used.has(slotOf(tx)))
  }

  /** Drops a transaction: no node knows it any more until it is sent again. */
  drop(txHash: string): void {
    this.pool.delete(txHash)
    this.#dropped.add(txHash)
  }

  send(tx: ModelTx): void {
    this.#dropped.delete(tx.hash)
    this.pool.set(tx.hash, tx)
    this.#nonces.set(tx.sender, tx.nonce)
  }

  isDropped(txHash: string): boolean {
    return this.#dropped.has(txHash)
  }

  /** The nonce of the sender's only slot; only transactions for that slot compete. */
  slotNonce(sender: string): { nonce: number } {
    return { nonce: this.#nonces.get(sender) ?? 0 }
  }

  /** Whether the slot is used on a branch, by any transaction or silently. */
  isUsed(slot: string, tip = this.head): boolean {
    return usedSlots(tip).has(slot)
  }

  #finalize(): void {
    if (this.isStalled) return
    const { finalDepth, safeDepth } = this.rules
    const at = (depth: number) => ancestorAt(this.head, Math.max(0, this.head.number - depth))
    const finalized = at(finalDepth)
    const safe = at(safeDepth)
    if (finalized !== null && finalized.number > this.finalized.number) this.finalized = finalized
    if (safe !== null && safe.number > this.safe.number) this.safe = safe
    // A reorg may undo a block that was only safe.
    if (ancestorAt(this.head, this.safe.number) !== this.safe) this.safe = this.finalized
  }

  #build(
    parent: ModelBlock | null,
    entries: readonly Entry[],
    timestamp: number,
    silentSlots: readonly string[] = [],
  ): ModelBlock {
    const number = parent === null ? 0 : parent.number + 1
    const block = {
      ...{ number, parent, entries, timestamp, silentSlots, logsBloom: bloomOf(entries) },
      hash: hashOf(`${this.#salt} block ${this.#made++}`),
    }
    this.#blocks.set(block.hash, block)
    this.#peak = Math.max(this.#peak, number)
    return block
  }

  #amongNoise(entries: readonly Entry[]): readonly Entry[] {
    const noise = Array.from({ length: this.#chance.between(0, 2) }, () => this.#noise())
    return this.#chance.shuffled([...entries, ...noise])
  }

  /** A transfer between strangers, with logs that only resemble transfers. */
  #noise(): Entry {
    const name = `${noiseName}${this.#salt} ${this.#made++}`
    const sender = addressOf(name)
    const [token = sender] = this.rules.tokens
    const fine = transferLog({ token, to: addressOf(`${name} to`), amount: 5n }, sender)
    const nft: ModelLog = { ...fine, topics: [...fine.topics, word(7n)], data: '0x' }
    const short: ModelLog = { ...fine, topics: [transferTopic], data: '0x01' }
    const other: ModelLog = { ...fine, address: addressOf('another contract') }
    const logs = this.#chance.shuffled([fine, nft, short, other]).slice(0, 3)
    const tx = {
      ...{ hash: hashOf(name), sender, nonce: 0, feePerGas: 1n, to: token, value: 0n },
      ...{ input: noiseName, logs, moves: [], isPrivate: true, sentAt: 0 },
    }
    return { tx, reverts: this.#chance.is(0.1) }
  }
}

const isNoise = (tx: ModelTx): boolean => tx.input === noiseName

const slotsOf = new WeakMap<ModelBlock, ReadonlySet<string>>()

/** Every used slot of a branch. */
function usedSlots(tip: ModelBlock): Set<string> {
  const used = new Set<string>()
  for (const block of branchOf(tip)) {
    const known = slotsOf.get(block)
    if (known !== undefined) {
      for (const slot of known) used.add(slot)
      break
    }
    for (const { tx } of block.entries) if (!isNoise(tx)) used.add(slotOf(tx))
    for (const slot of block.silentSlots) used.add(slot)
  }
  slotsOf.set(tip, new Set(used))
  return used
}
