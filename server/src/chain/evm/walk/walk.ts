import { Failure } from '@settlewire/core/errors'
import type { BlockRef } from '@settlewire/core/payment/observation'
import type { ChainHead } from '@settlewire/core/payment/policy'
import { LRUCache } from 'lru-cache'
import type { AppliedBlock, ChainSink, ChainStep, WatchSet } from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { ChainPosition, EventStore } from '../../../ports/history.ts'
import type { Log } from '../../../ports/log.ts'
import { inclusionsOf, together } from '../ballot/beside.ts'
import { BlockReader } from '../ballot/blocks.ts'
import type { ProviderPoll } from '../ballot/poll.ts'
import { type BlockContents, isComplete, judge } from '../block/verdict.ts'
import { fieldsOf } from '../node/hex.ts'
import { inParallel } from '../node/in-parallel.ts'
import { atOnce, type FollowerLimits } from '../node/limits.ts'
import type { EvmNode, Header } from '../node/node.ts'
import { within } from '../node/within.ts'
import { blockAt, grow, joinBranch, leftBehind, remember } from '../provider/branch.ts'
import type { Provider, ProviderRefusal } from '../provider/provider.ts'
import type { BlockRereader } from './block-rereader.ts'
import { usedSlots } from './slots.ts'
import { markStoreFailures } from './store-failure.ts'
import type { Tag, Tags } from './tags.ts'

/** The result of one try to step towards a head. */
export type WalkProgress =
  | { readonly kind: 'at_head' }
  /** The node's head is below the stored cursor: the node is behind. */
  | { readonly kind: 'node_behind' }
  /** The node's branch forks from ours where a reorg is not allowed: it is not on our chain. */
  | { readonly kind: 'refused'; readonly refusal: 'reorg_below_finality' | 'reorg_too_deep' }
  /** The node's branch forks from ours, and `mayLeave` was false: these are its blocks. */
  | { readonly kind: 'leaves'; readonly blocks: readonly BlockRef[] }
  | { readonly kind: 'stepped'; readonly step: ChainStep }

/** What to read from, and up to which block. */
export interface Reading {
  readonly node: EvmNode
  readonly provider: Provider
  readonly aim: Header
  /** Whether stored blocks may be reverted for it. */
  readonly mayLeave: boolean
}

interface WalkParts {
  readonly chain: string
  readonly tokens: readonly string[]
  readonly watch: WatchSet
  readonly sink: ChainSink
  readonly store: Pick<EventStore, 'position' | 'begin'>
  readonly clock: Clock
  readonly limits: FollowerLimits
  readonly multicall3: string | null
  readonly followBelowFinality?: boolean | undefined
  readonly log: Log
  readonly poll: ProviderPoll
  /** The rescans of blocks that were reported before. */
  readonly rereader: BlockRereader
  readonly trustsBlooms?: boolean
  readonly tags: Tags
  /** What all providers together add to the head of a step. */
  readonly views: () => Pick<ChainHead, 'witnesses' | 'disagree'>
}

/**
 * Walks one chain from the stored position to the head, step by step. Outlives connections: each
 * step gets the node to read from. One step at a time, at the pace of the sink.
 *
 * Guarantee about the watch set: an address that is in it when a step is delivered is matched in
 * every block of that step, however long ago the block was fetched. So an address that is watched
 * before any payer learns it misses no payment, since that is in a later block than any reported.
 */
export class ChainWalk {
  readonly #parts: WalkParts
  readonly #reader: BlockReader
  /** The stored position; null when it must be read again. */
  #position: ChainPosition | null = null
  #reading: Promise<ChainPosition> | null = null
  /** The highest block ever known to be final. Null while unknown, or if `followBelowFinality`. */
  #floor: number | null = null
  /** The transactions reported for each recent block: a reorg must report what becomes of them. */
  readonly #reported: LRUCache<string, readonly string[]>

  constructor(parts: WalkParts) {
    this.#parts = parts
    this.#reader = new BlockReader(parts)
    // Limited by `maxSize`: with `max`, the cache would allocate all entries at once.
    const maxSize = 2 * parts.limits.windowBlocksMax
    this.#reported = new LRUCache({ maxSize, sizeCalculation: () => 1 })
  }

  /** Whether contract payments may be missing because balances could not be read. */
  get isUnread(): boolean {
    return this.#reader.isUnread
  }

  /** The stored position; if the store has none, starts one here. Throws `chain_mismatch`. */
  async position(node: EvmNode, genesisHash: string): Promise<ChainPosition> {
    if (this.#position === null) {
      this.#reading ??= this.#read(node, genesisHash).finally(() => {
        this.#reading = null
      })
      this.#position = await this.#reading
      this.#raiseFloor(this.#position.head.finalized)
    }
    if (this.#position.genesisHash !== genesisHash) throw new Failure('chain_mismatch')
    return this.#position
  }

  /** Drops the cached position, which may be outdated: the next one is read from the store. */
  forget(): void {
    this.#position = null
  }

  /**
   * Checks that a node is on our chain, at the newest block that must never change. A node that
   * lacks the block is behind, which is no refusal.
   */
  async fits(node: EvmNode, { recent }: ChainPosition): Promise<ProviderRefusal | null> {
    const anchor = blockAt(recent, this.#floor ?? -1) ?? recent.at(-1)
    if (anchor === undefined || anchor.number === 0) return null
    const shown = await node.byNumber(anchor.number, false)
    return shown === null || shown.ref.hash === anchor.hash ? null : this.#refusal(anchor)
  }

  /** Takes at most one step towards a head, from a position read before. */
  async towards(reading: Reading, position: ChainPosition): Promise<WalkProgress> {
    const { recent } = position
    const { node, aim, mayLeave } = reading
    if (recent[0]?.hash === aim.ref.hash) return { kind: 'at_head' }
    const known = recent.some((block) => block.hash === aim.ref.hash)
    if (known || aim.ref.number < (recent.at(-1)?.number ?? 0)) return { kind: 'node_behind' }
    const branch = await this.#branchTo(node, aim, position)
    const undone = branch === null ? recent.at(-1) : branch.reverted.at(-1)
    const floor = this.#floor ?? -1
    if (undone !== undefined && (branch === null || undone.number <= floor)) {
      return { kind: 'refused', refusal: this.#refusal(undone) }
    }
    // Unreachable: without a branch it was refused above.
    if (branch === null) return { kind: 'node_behind' }
    if (this.#undoesFinal(branch.undone, position))
      return { kind: 'refused', refusal: 'reorg_below_finality' }
    if (branch.reverted.length > 0 && !mayLeave) {
      return { kind: 'leaves', blocks: branch.headers.map(({ ref }) => ref) }
    }
    // The blocks exist, so they pay only addresses handed out before, by any process.
    const { sink, chain } = this.#parts
    await markStoreFailures(() => sink.prepare(chain))
    const corroborated = this.#parts.poll.open(branch.headers, reading.provider)
    const [blocks, pendingAgain, head, usedUp] = await Promise.all([
      this.#reader.read(node, branch.headers),
      this.#pendingAgain(node, branch.undone),
      this.#headAfter(reading, position, branch),
      this.#usedUp(node, branch.headers),
    ])
    const joint = recent[branch.reverted.length]
    const oldest = recent.at(-1)?.number ?? 0
    const isCanonical = ({ number, hash }: BlockRef): boolean =>
      number < oldest || (number <= (joint?.number ?? -1) && blockAt(recent, number)?.hash === hash)
    const found = { blocks, pendingAgain, head, usedUp, corroborated, isCanonical }
    const step = await this.#deliver(reading, { ...branch, ...found })
    this.#moved(position, step)
    return { kind: 'stepped', step }
  }

  /** Why a branch that would revert or replace this block is not followed. */
  #refusal({ number }: BlockRef): 'reorg_below_finality' | 'reorg_too_deep' {
    return this.#floor !== null && number <= this.#floor ? 'reorg_below_finality' : 'reorg_too_deep'
  }

  /** Whether an unfinished step reported one of these blocks as final. */
  #undoesFinal(undone: readonly BlockRef[], { unfinished }: ChainPosition): boolean {
    const isFinal = ({ hash }: BlockRef) => unfinished?.final.includes(hash) === true
    return this.#parts.followBelowFinality !== true && undone.some(isFinal)
  }

  #raiseFloor(finalized: number | null): void {
    if (finalized !== null && this.#parts.followBelowFinality !== true)
      this.#floor = Math.max(this.#floor ?? 0, finalized)
  }

  /** Transactions that can no longer be mined: by the last block another had won their contest. */
  async #usedUp(node: EvmNode, headers: readonly Header[]): Promise<readonly string[]> {
    const last = headers.at(-1)
    if (last === undefined) return []
    const used = await usedSlots(node, this.#parts.watch.openContests(), last.ref)
    // It may have won its own contest, in a block reported before it was tracked or not read yet.
    const isMined = await inParallel(used, atOnce.questions, (txHash) => isInBlock(node, txHash))
    return used.filter((_, at) => isMined[at] === false)
  }

  async #read(node: EvmNode, genesisHash: string): Promise<ChainPosition> {
    const { chain, store, limits } = this.#parts
    const stored = await markStoreFailures(() => store.position(chain))
    if (stored !== null) return stored
    const latest = await node.latest()
    const from = Math.max(0, latest.ref.number - limits.beginBehindBlocks)
    const header = from === latest.ref.number ? latest : await node.byNumber(from, false)
    if (header === null) throw new Failure('chain_unavailable', 'The node lacks recent blocks.')
    return markStoreFailures(() => store.begin(chain, genesisHash, header.ref))
  }

  /**
   * The blocks to apply, oldest first; the stored ones to revert (`reverted`); these and orphaned
   * ones of unfinished steps (`undone`). Null when the branch forks below every remembered block.
   */
  async #branchTo(node: EvmNode, head: Header, { recent, unfinished }: ChainPosition) {
    const headers = await this.#headersUpTo(node, head, recent)
    for (;;) {
      const joint = joinBranch(
        recent,
        headers.map((header) => header.ref),
      )
      if (joint.kind === 'joined') {
        // A deep reorg is reverted in one step; its new branch may be applied in several.
        const applied = headers.slice(0, this.#parts.limits.stepBlocksMax)
        const { reverted } = joint
        const on = { reverted, applied: applied.map((header) => header.ref) }
        const left = leftBehind(unfinished?.blocks ?? [], on)
        const undone = [...reverted, ...left].sort((a, b) => b.number - a.number)
        return { headers: applied, reverted, undone, unfinished }
      }
      if (joint.kind === 'too_deep') return null
      if (joint.kind === 'broken') throw changed()
      const parent = await node.byHash(joint.parentHash, false)
      if (parent === null) throw changed()
      headers.unshift(parent)
    }
  }

  /** The headers from the block above the stored head, or only the new head if it is not above. */
  async #headersUpTo(node: EvmNode, head: Header, recent: readonly BlockRef[]): Promise<Header[]> {
    const first = Math.min((recent[0]?.number ?? 0) + 1, head.ref.number)
    const count = Math.min(head.ref.number - first + 1, this.#parts.limits.stepBlocksMax)
    const numbers = Array.from({ length: count }, (_, at) => first + at)
    const headers = await inParallel(numbers, atOnce.blocks, async (number) =>
      number === head.ref.number ? head : node.byNumber(number, this.#parts.watch.wantsNative),
    )
    const lacking = headers.indexOf(null)
    // A node may know a head a moment before it has all of its blocks: takes those that it has.
    const there = lacking < 0 ? headers : headers.slice(0, lacking)
    if (there.length === 0) throw changed()
    return there.filter((header) => header !== null)
  }

  async #headAfter(
    { node, provider, aim }: Reading,
    position: ChainPosition,
    branch: { headers: readonly Header[]; reverted: readonly BlockRef[] },
  ): Promise<ChainHead> {
    const applied = branch.headers.map((header) => header.ref)
    const recent = grow(position.recent, { ...branch, applied })
    const head = recent[0]?.number ?? 0
    const joint = position.recent[branch.reverted.length]?.number ?? 0
    const reach = async (tag: Tag): Promise<number | null> => {
      // Blocks below the fork have not changed: a node that is behind cannot lower their tag.
      const before = position.head[tag]
      const held = before === null ? null : Math.min(before, joint)
      const tagged = await this.#parts.tags.read(tag, { node, provider, above: held })
      // A node cannot have checked a block above its own head.
      if (tagged === null || tagged.number > aim.ref.number) return held
      const ours = blockAt(recent, tagged.number)
      // A tagged block on another branch says nothing about this one.
      if (ours !== undefined && ours.hash !== tagged.hash) return held
      return Math.max(held ?? 0, Math.min(tagged.number, head))
    }
    const [safe, reached] = await Promise.all([reach('safe'), reach('finalized')])
    // This node may be behind an earlier one: a final block stays final.
    const finalized = reached === null ? null : Math.max(reached, this.#floor ?? 0)
    return { view: position.head.view + 1, head, safe, finalized }
  }

  /** The transactions reported for reverted blocks that the node still knows. */
  async #pendingAgain(node: EvmNode, reverted: readonly BlockRef[]): Promise<ReadonlySet<string>> {
    const reported = await inParallel(reverted, atOnce.questions, ({ hash }) =>
      this.#reportedIn(node, hash),
    )
    const known = new Set<string>()
    await inParallel(reported.flat(), atOnce.questions, async (txHash) => {
      if ((await node.transaction(txHash)) !== null) known.add(txHash)
    })
    return known
  }

  /**
   * After a restart only the node knows what a reverted block held, and not every node keeps it.
   */
  async #reportedIn(node: EvmNode, blockHash: string): Promise<readonly string[]> {
    const reported = this.#reported.get(blockHash)
    if (reported !== undefined) return reported
    const block = await node.byHash(blockHash, false)
    return (block?.txHashes ?? []).filter((txHash) => this.#parts.watch.tracks(txHash))
  }

  /** Matches and delivers within one tick, so that no address can join the watch set in between. */
  async #deliver({ node, provider }: Reading, found: StepContents): Promise<ChainStep> {
    const { chain, watch, clock, limits, sink, poll, rereader, views } = this.#parts
    const { blocks, undone, unfinished } = found
    await within(clock, found.corroborated, limits.corroborateWithinMs)
    // An address may have joined while this waited.
    while (!blocks.every((block) => isComplete(block, watch))) await this.#complete(node, blocks)
    const shown = blocks.map((block) => judge(block, watch))
    const beside = [...poll.beside(shown, found.isCanonical), ...rereader.found(found.isCanonical)]
    await Promise.all([
      poll.settle(shown, provider),
      ...beside.map((more) => poll.settle([more.applied], more.provider)),
    ])
    while (!blocks.every((block) => isComplete(block, watch))) await this.#complete(node, blocks)
    const mined = new Set(blocks.flatMap((block) => block.txHashes))
    const own = blocks.map((block) => poll.withVotes(judge(block, watch), provider))
    const more = beside.map((one) => poll.withVotes(one.applied, one.provider))
    const hashes = new Set(own.map(({ block }) => block.hash))
    const applied = together(
      own,
      more.filter(({ block }) => hashes.has(block.hash)),
    )
    const late = more.filter(({ block }) => !hashes.has(block.hash))
    const step: ChainStep = {
      source: provider.source,
      at: clock.now(),
      reverted: undone,
      pendingAgain: new Set([...found.pendingAgain].filter((txHash) => !mined.has(txHash))),
      applied: withUsedUp(
        applied,
        found.usedUp.filter(
          (txHash) => !mined.has(txHash) && !poll.isInDoubt(txHash) && watch.tracks(txHash),
        ),
      ),
      ...(late.length > 0 && { late }),
      ...(unfinished !== undefined && { unfinished }),
      head: { ...found.head, ...views() },
    }
    await markStoreFailures(() => sink.step(chain, step)).catch((error: unknown) => {
      const blocks = step.applied.map(({ block }) => block)
      poll.recall([...late, ...step.applied].flatMap(inclusionsOf), blocks)
      throw error
    })
    poll.stored(step, blocks, provider)
    rereader.stored(step)
    return step
  }

  async #complete(node: EvmNode, blocks: readonly BlockContents[]): Promise<void> {
    const { watch } = this.#parts
    while (!blocks.every((block) => isComplete(block, watch)))
      await this.#reader.complete(node, blocks)
  }

  #moved(position: ChainPosition, step: ChainStep): void {
    const applied = step.applied.map(({ block }) => block)
    const recent = grow(position.recent, { reverted: step.reverted, applied })
    const { head } = step
    this.#raiseFloor(head.finalized)
    const { limits } = this.#parts
    const after = { ...position, head, recent: remember(recent, head.finalized, limits) }
    // Only the store knows what is still unfinished after this step.
    this.#position = position.unfinished === undefined ? after : null
    for (const { block, transfers, movedNothing } of [...(step.late ?? []), ...step.applied]) {
      const reported = [...transfers, ...movedNothing].map(({ txHash }) => txHash)
      this.#reported.set(block.hash, [
        ...new Set([...(this.#reported.get(block.hash) ?? []), ...reported]),
      ])
    }
  }
}

/** A missing receipt proves nothing: a node may show a mined transaction without its receipt. */
async function isInBlock(node: EvmNode, txHash: string): Promise<boolean> {
  if ((await node.receipt(txHash)) !== null) return true
  return typeof fieldsOf(await node.transaction(txHash))?.blockHash === 'string'
}

/** Everything that one step is made of, read before any of it is delivered. */
interface StepContents {
  readonly blocks: readonly BlockContents[]
  readonly undone: readonly BlockRef[]
  readonly unfinished: ChainPosition['unfinished']
  readonly pendingAgain: ReadonlySet<string>
  readonly head: ChainHead
  /** Transactions whose contest another one had won by the last block. */
  readonly usedUp: readonly string[]
  /** Resolves when the other providers have shown these blocks too. */
  readonly corroborated: Promise<void>
  /** Whether a reported block stays canonical after this step; true below the reach of a reorg. */
  readonly isCanonical: (block: BlockRef) => boolean
}

/** Reports them with the last block: its state showed this, so both are reverted together. */
function withUsedUp(
  applied: readonly AppliedBlock[],
  usedUp: readonly string[],
): readonly AppliedBlock[] {
  const last = applied.at(-1)
  if (last === undefined || usedUp.length === 0) return applied
  const replaced = usedUp.map((txHash) => ({ txHash, reason: 'replaced' as const }))
  return applied.with(-1, { ...last, movedNothing: [...last.movedNothing, ...replaced] })
}

const changed = (): Failure =>
  new Failure('chain_unavailable', 'The chain changed while it was read.')
