import type { Chance } from './chance.ts'
import type { Liar } from './lies.ts'
import {
  ancestorAt,
  blockJson,
  branchOf,
  headerJson,
  logsJson,
  type ModelBlock,
  type ModelTx,
  quantity,
  receiptsJson,
  slotOf,
  standsOn,
  transactionJson,
} from './model-block.ts'
import type { ModelChain } from './model-chain.ts'
import { type Mood, type MoodName, moods } from './moods.ts'
import { hidesBlooms, type Oddity, oddly } from './oddities.ts'
import { Refused, refusable } from './refusals.ts'
import type { Testimony } from './testimony.ts'
import type { Timeline } from './timeline.ts'

export interface ProviderParts {
  readonly name: string
  readonly chain: ModelChain
  readonly timeline: Timeline
  readonly chance: Chance
  /** How it shows pending transactions. */
  readonly pending: 'whole' | 'hashes' | 'none'
  /** How it formats and numbers differently from other nodes, all its life. */
  readonly oddity: Oddity | null
  /** Its lies; null for an honest node. */
  readonly liar: Liar | null
  readonly testimony: Testimony
}

type Listener = (value: unknown) => void
const unknownMethod = new Refused(-32601, 'method not found')
const unknownBlock = new Refused(-32000, 'unknown block')

/** One node: it learns of the chain with a delay, and does not always report the truth. */
export class Provider {
  readonly name: string
  readonly #parts: ProviderParts
  readonly #known = new Set<ModelBlock>()
  readonly #pool = new Map<string, ModelTx>()
  readonly #feeds = new Map<Listener, string>()
  readonly #connections = new Set<() => void>()
  #mood: MoodName = 'healthy'
  /** The only method that it refuses if its mood is `choosy`. */
  #refused: string | null = null
  /** Since when it accepts no connections, by the timeline; null while it does. */
  awaySince: number | null = null
  #head: ModelBlock
  #heard = 0
  #told = 0
  /** Another chain that it serves by mistake; null normally. */
  #stray: ModelChain | null = null

  constructor(parts: ProviderParts) {
    this.name = parts.name
    this.#parts = parts
    this.#head = parts.chain.head
    this.#learn(this.#head)
  }

  get mood(): Mood {
    return moods[this.#mood]
  }

  get isLiar(): boolean {
    return this.#parts.liar !== null
  }

  get head(): ModelBlock {
    return this.#head
  }

  /** Called at a new head of the chain; the node learns of it after its own delay. */
  hear(): void {
    if (this.#stray !== null) return
    const { chain, timeline, chance } = this.#parts
    const [head, place] = [chain.head, ++this.#told]
    timeline.after(chance.between(...this.mood.lagMs), () => {
      if (place < this.#heard || this.#stray !== null || this.mood.ownBlocks > 0) return
      this.#heard = place
      this.#arrive(head)
    })
  }

  /** Called when a transaction was sent; not every node receives every one. */
  gossip(tx: ModelTx): void {
    if (tx.isPrivate || this.#parts.chance.is(0.1)) return
    this.#parts.timeline.after(this.#parts.chance.between(...this.mood.lagMs), () => {
      this.#pool.set(tx.hash, tx)
      // A node does not announce a transaction that its chain contains or whose slot is used.
      if (this.#parts.chain.isUsed(slotOf(tx), this.#head)) return
      this.#notify('whole', transactionJson(tx, null))
      this.#notify('hashes', tx.hash)
    })
  }

  become(mood: MoodName): void {
    const { chance, timeline, liar } = this.#parts
    this.#mood = mood
    this.#refused = this.mood.refusesOne ? chance.pick(refusable) : null
    if (liar !== null && chance.is(0.15)) liar.recant()
    this.awaySince = this.mood.isUp ? null : (this.awaySince ?? timeline.elapsed)
    if (!this.mood.isUp) this.hangUp()
    if (this.mood.ownBlocks > 0) this.#invent()
    // Returns to the common chain.
    else if (this.#stray === null) this.#arrive(this.#parts.chain.head)
  }

  /** From now on it serves another chain or, with null, its own again. */
  stray(chain: ModelChain | null): void {
    this.#stray = chain
    this.hangUp()
    this.#head = (chain ?? this.#parts.chain).head
    this.#learn(this.#head)
  }

  /** Whether it refuses this request. */
  refuses(method: string): boolean {
    const isAsked = this.#refused === null || this.#refused === method
    return isAsked && this.mood.refuses > 0 && this.#parts.chance.is(this.mood.refuses)
  }

  hangUp(): void {
    for (const end of [...this.#connections]) end()
  }

  /** Registers a connection; `end` is called when the node closes it. */
  accept(end: () => void): () => void {
    this.#connections.add(end)
    return () => this.#connections.delete(end)
  }

  /** Null if it refuses. */
  subscribe(params: readonly unknown[], listener: Listener): (() => void) | null {
    const [what, whole] = params
    const { pending } = this.#parts
    if (what === 'newHeads') this.#feeds.set(listener, 'newHeads')
    else if (what !== 'newPendingTransactions' || pending === 'none') return null
    else if (whole === true && pending === 'hashes') return null
    else this.#feeds.set(listener, whole === true ? 'whole' : 'hashes')
    return () => this.#feeds.delete(listener)
  }

  answer(method: string, params: readonly unknown[]): unknown {
    return oddly(this.#parts.oddity, method, this.#answer(method, params))
  }

  #answer(method: string, params: readonly unknown[]): unknown {
    const [first, second] = params
    const by = String(first)
    const whole = second === true
    switch (method) {
      case 'eth_chainId':
        return quantity(this.#chain.rules.chainId)
      case 'eth_blockNumber':
        return quantity(this.#head.number)
      case 'eth_getBlockByNumber':
        return this.#perhaps(this.#shown(this.#byTag(by), whole))
      case 'eth_getBlockByHash':
        return this.#perhaps(this.#shown(this.#byHash(by), whole))
      case 'eth_getLogs':
        return this.#logs(first)
      case 'eth_getBlockReceipts':
        return this.#receipts(by)
      case 'eth_getTransactionReceipt':
        return this.#receipt(by)
      case 'eth_getTransactionByHash':
        return this.#perhaps(this.#transaction(by))
      case 'eth_getTransactionCount':
        return this.#count(by, second)
      case 'eth_getBalance':
        return this.#balance(by, second)
      default:
        return unknownMethod
    }
  }

  get #chain(): ModelChain {
    return this.#stray ?? this.#parts.chain
  }

  #arrive(head: ModelBlock): void {
    if (head === this.#head) return
    this.#head = head
    this.#learn(head)
    this.#notify('newHeads', this.#headerJson(head))
  }

  /** Replaces the last blocks by its own, with some pending transactions and nothing else. */
  #invent(): void {
    const { chain, chance, timeline } = this.#parts
    if (this.#stray !== null) return
    const count = Math.min(this.mood.ownBlocks, chain.reorgMax)
    let tip = ancestorAt(chain.head, chain.head.number - count) ?? chain.head
    for (let i = 0; i <= count; i++) {
      const wanted = [...this.#pool.values(), ...chain.pool.values()]
        .filter(() => chance.is(0.4))
        .map((tx) => ({ tx, reverts: chance.is(0.1) }))
      tip = chain.extend(tip, { wanted, nowMs: timeline.now })
    }
    this.#arrive(tip)
  }

  #learn(head: ModelBlock): void {
    for (const block of branchOf(head)) {
      if (this.#known.has(block)) break
      this.#known.add(block)
      this.#lieAbout(block)
    }
  }

  #lieAbout(block: ModelBlock): void {
    const { liar, chance } = this.#parts
    const { forges, hides, ownBlocks } = this.mood
    if (liar === null || this.#stray !== null || ownBlocks > 0) return
    if (forges > 0 && chance.is(forges)) liar.forge(block)
    if (hides > 0 && chance.is(hides)) liar.hide(block)
  }

  /** A block as this node shows it, lies included. */
  #view(block: ModelBlock): ModelBlock {
    return this.#parts.liar?.shown(block) ?? block
  }

  #headerJson(block: ModelBlock): unknown {
    return oddly(this.#parts.oddity, 'newHeads', headerJson(this.#view(block)))
  }

  #shown(block: ModelBlock | null, whole: boolean): unknown {
    return block === null ? null : blockJson(this.#view(block), whole)
  }

  #showed(block: ModelBlock, txHashes: readonly string[]): void {
    const { testimony, name } = this.#parts
    for (const txHash of txHashes) testimony.showed(name, block.hash, txHash)
  }

  #notify(feed: string, value: unknown): void {
    const { chance, timeline } = this.#parts
    const { mutes, repeats, reorders } = this.mood
    const older = this.#head.parent === null ? null : this.#headerJson(this.#head.parent)
    for (const [listener, wanted] of this.#feeds) {
      if (wanted !== feed || chance.is(mutes)) continue
      const tell = (what: unknown): void => {
        timeline.after(chance.between(0, 30), () => {
          if (this.#feeds.has(listener)) listener(what)
        })
      }
      tell(value)
      if (chance.is(repeats)) tell(value)
      if (feed === 'newHeads' && older !== null && chance.is(reorders)) tell(older)
    }
  }

  #byTag(tag: string): ModelBlock | null {
    if (tag === 'latest' || tag === 'pending') return this.#head
    if (tag !== 'safe' && tag !== 'finalized') return ancestorAt(this.#head, Number(tag))
    const { rules, [tag]: tagged } = this.#chain
    if (!rules.hasTags) return null
    // This node may not have the chain's tagged block on its branch yet.
    return standsOn(this.#head, tagged) ? tagged : null
  }

  #byHash(hash: string): ModelBlock | null {
    const block = this.#chain.byHash(hash)
    return block !== null && this.#known.has(block) ? block : null
  }

  #logs(filter: unknown): unknown {
    const { chance, oddity } = this.#parts
    // The filter always comes from the follower, which filters by block hash.
    const { blockHash, address, topics } = filter as {
      blockHash: string
      address: readonly string[]
      topics: readonly string[]
    }
    const block = this.#byHash(blockHash)
    if (block === null) return unknownBlock
    // Where the bloom reveals nothing, an empty list could not be detected as wrong.
    if (!hidesBlooms(oddity) && chance.is(this.mood.emptyLogs)) return []
    const logs = logsJson(this.#view(block)).filter(
      (log) => address.includes(log.address) && log.topics[0] === topics[0],
    )
    this.#showed(
      block,
      logs.map(({ transactionHash }) => transactionHash),
    )
    return this.#marked(logs)
  }

  /** Marks some logs as removed although they are not, as some nodes do. Never the reverse. */
  #marked<Log extends object>(logs: readonly Log[]): unknown[] {
    const { chance } = this.#parts
    return logs.map((log) => (chance.is(this.mood.removedLogs) ? { ...log, removed: true } : log))
  }

  #receipts(blockHash: string): unknown {
    const block = this.#byHash(blockHash)
    if (block === null || this.#parts.chance.is(this.mood.lacking)) return null
    const all = receiptsJson(this.#view(block))
    const receipts = this.#parts.chance.is(this.mood.emptyLogs) ? all.slice(1) : all
    this.#showed(
      block,
      receipts.map(({ transactionHash }) => transactionHash),
    )
    return receipts
  }

  #receipt(txHash: string): unknown {
    const block = this.#blockOf(txHash)
    if (block === null) return null
    if (this.#parts.chance.is(this.mood.lacking)) {
      this.#parts.testimony.withheld(txHash)
      return null
    }
    this.#showed(block, [txHash])
    const receipts = receiptsJson(this.#view(block))
    return receipts.find((receipt) => receipt.transactionHash === txHash) ?? null
  }

  #transaction(txHash: string): unknown {
    const block = this.#blockOf(txHash)
    const entry = block && this.#view(block).entries.find(({ tx }) => tx.hash === txHash)
    if (entry) return transactionJson(entry.tx, block)
    const tx = this.#pool.get(txHash)
    if (tx === undefined || this.#chain.isDropped(txHash)) return null
    return this.#chain.isUsed(slotOf(tx), this.#head) ? null : transactionJson(tx, null)
  }

  /** Every sender of this world has one slot, for one transaction or several that compete. */
  #count(sender: string, at: unknown): unknown {
    const block = this.#blockAsked(at)
    if (block === null) return unknownBlock
    const { nonce } = this.#chain.slotNonce(sender)
    const slot = slotOf({ sender, nonce })
    const isUsed = this.#chain.isUsed(slot, block) && !this.#hidesSlot(slot, block)
    return quantity(isUsed ? nonce + 1 : nonce)
  }

  /** A node that hides a transaction also hides that its slot is used. */
  #hidesSlot(slot: string, tip: ModelBlock): boolean {
    const { liar } = this.#parts
    if (liar === null || liar.lies.size === 0) return false
    for (const block of branchOf(tip)) {
      const entry = block.entries.find(({ tx }) => slotOf(tx) === slot)
      if (entry !== undefined) return liar.hides(block, entry.tx.hash)
    }
    return false
  }

  /** Sums up all payments to the address, because addresses never spend here. */
  #balance(address: string, at: unknown): unknown {
    const block = this.#blockAsked(at)
    if (block === null) return unknownBlock
    let balance = 0n
    for (const { entries } of branchOf(block)) {
      for (const { tx, reverts } of entries) {
        for (const { to, token, amount } of reverts ? [] : tx.moves) {
          if (token === null && to === address) balance += amount
        }
      }
    }
    return quantity(balance)
  }

  /** The block of a parameter: by hash, by tag, or else the newest. */
  #blockAsked(at: unknown): ModelBlock | null {
    const asked = typeof at === 'object' && at !== null && 'blockHash' in at ? at.blockHash : null
    if (typeof asked === 'string') return this.#byHash(asked)
    return typeof at === 'string' ? this.#byTag(at) : this.#head
  }

  #blockOf(txHash: string): ModelBlock | null {
    for (const block of branchOf(this.#head)) {
      if (this.#view(block).entries.some(({ tx }) => tx.hash === txHash)) return block
    }
    return null
  }

  #perhaps(answer: unknown): unknown {
    return this.#parts.chance.is(this.mood.lacking) ? null : answer
  }
}
