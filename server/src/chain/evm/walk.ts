import { Failure, failedWith } from '@settlewire/core/errors'
import type { BlockRef } from '@settlewire/core/observation'
import type { ChainHead } from '@settlewire/core/policy'
import type {
  ChainPosition,
  ChainSink,
  ChainStep,
  Clock,
  EventStore,
  WatchSet,
} from '../../ports.ts'
import { BlockReader } from './blocks.ts'
import { grow, joinBranch, remember } from './branch.ts'
import { inParallel } from './in-parallel.ts'
import type { Limits } from './limits.ts'
import type { EvmNode, Header } from './node.ts'
import { type BlockContents, isComplete, judge } from './verdict.ts'

/** Where one try to come nearer to a head ended. */
export type Progress =
  | { readonly kind: 'at_head' }
  /** The node shows a head below what is stored: it is behind, not right. */
  | { readonly kind: 'node_behind' }
  | { readonly kind: 'too_deep' }
  | {
      readonly kind: 'stepped'
      readonly step: ChainStep
      /** Blocks still missing to the head that was aimed at. */
      readonly behind: number
    }

interface Parts {
  readonly chain: string
  readonly source: string
  readonly tokens: readonly string[]
  readonly watch: WatchSet
  readonly sink: ChainSink
  readonly store: Pick<EventStore, 'position' | 'begin'>
  readonly clock: Clock
  readonly limits: Limits
}

const headersAtOnce = 32
const lookupsAtOnce = 16

/**
 * Walks one chain from the stored position to the head, step by step. Outlives connections: each
 * step is told which node to read from. One step at a time; the sink's pace is the pace.
 *
 * What is guaranteed about the watch set: an address that is in it when a step is told is matched in
 * every block of that step, however long ago the block was fetched. So an address that is watched
 * before anyone learns it misses nothing, since its payment is in a later block than any told.
 */
export class ChainWalk {
  readonly #parts: Parts
  readonly #reader: BlockReader
  /** As stored; null when it must be read again. */
  #position: ChainPosition | null = null
  /** The transactions told of each recent block: whose fate a reorg must report. */
  readonly #told = new Map<string, readonly string[]>()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#reader = new BlockReader(parts)
  }

  /** The stored position, begun at the node's chain if there is none. Throws `chain_mismatch`. */
  async position(node: EvmNode, genesisHash: string): Promise<ChainPosition> {
    this.#position ??= await this.#read(node, genesisHash)
    if (this.#position.genesisHash !== genesisHash) throw new Failure('chain_mismatch')
    return this.#position
  }

  /** The next position is read from the store: what is known here may not be true any more. */
  forget(): void {
    this.#position = null
  }

  /** Goes at most one step towards a head, from a position read before. */
  async towards(node: EvmNode, aim: Header, position: ChainPosition): Promise<Progress> {
    const { recent } = position
    if (recent[0]?.hash === aim.ref.hash) return { kind: 'at_head' }
    const known = recent.some((block) => block.hash === aim.ref.hash)
    if (known || aim.ref.number < (recent.at(-1)?.number ?? 0)) return { kind: 'node_behind' }
    const branch = await this.#branchTo(node, aim, recent)
    if (branch === null) return { kind: 'too_deep' }
    const [blocks, pendingAgain, head] = await Promise.all([
      this.#reader.read(node, branch.headers),
      this.#pendingAgain(node, branch.reverted),
      this.#headAfter(node, position, branch),
    ])
    const step = await this.#tell(node, { ...branch, blocks, pendingAgain, head })
    this.#moved(position, step)
    return { kind: 'stepped', step, behind: Math.max(0, aim.ref.number - head.head) }
  }

  async #read(node: EvmNode, genesisHash: string): Promise<ChainPosition> {
    const { chain, store, limits } = this.#parts
    const stored = await storing(() => store.position(chain))
    if (stored !== null) return stored
    const latest = await node.latest()
    const from = Math.max(0, latest.ref.number - limits.beginBehindBlocks)
    const header = from === latest.ref.number ? latest : await node.byNumber(from, false)
    if (header === null) throw new Failure('chain_unavailable', 'The node lacks recent blocks.')
    return storing(() => store.begin(chain, genesisHash, header.ref))
  }

  /** The blocks to apply, oldest first, and to undo; null when they part below all we remember. */
  async #branchTo(node: EvmNode, head: Header, recent: readonly BlockRef[]) {
    const headers = await this.#headersUpTo(node, head, recent)
    for (;;) {
      const joint = joinBranch(
        recent,
        headers.map((header) => header.ref),
      )
      if (joint.kind === 'joined') {
        // A deep reorg is undone at once and applied in steps, like any other stretch of blocks.
        const applied = headers.slice(0, this.#parts.limits.stepBlocksMax)
        return { headers: applied, reverted: joint.reverted }
      }
      if (joint.kind === 'too_deep') return null
      if (joint.kind === 'broken') throw changed()
      const parent = await node.byHash(joint.parentHash, false)
      if (parent === null) throw changed()
      headers.unshift(parent)
    }
  }

  /** From the block above the stored head, or from the new head itself when it is not above it. */
  async #headersUpTo(node: EvmNode, head: Header, recent: readonly BlockRef[]): Promise<Header[]> {
    const first = Math.min((recent[0]?.number ?? 0) + 1, head.ref.number)
    const count = Math.min(head.ref.number - first + 1, this.#parts.limits.stepBlocksMax)
    const numbers = Array.from({ length: count }, (_, at) => first + at)
    const headers = await inParallel(numbers, headersAtOnce, async (number) =>
      number === head.ref.number ? head : node.byNumber(number, this.#parts.watch.wantsNative),
    )
    const lacking = headers.indexOf(null)
    // A node may know a head some moments before all of its blocks: what is there is taken.
    const there = lacking < 0 ? headers : headers.slice(0, lacking)
    if (there.length === 0) throw changed()
    return there.filter((header) => header !== null)
  }

  async #headAfter(
    node: EvmNode,
    position: ChainPosition,
    branch: { headers: readonly Header[]; reverted: readonly BlockRef[] },
  ): Promise<ChainHead> {
    const applied = branch.headers.map((header) => header.ref)
    const recent = grow(position.recent, { ...branch, applied })
    const head = recent[0]?.number ?? 0
    const reach = async (tag: 'safe' | 'finalized'): Promise<number | null> => {
      const tagged = await node.tagged(tag)
      if (tagged === null) return null
      const ours = recent.find((block) => block.number === tagged.number)
      // A tag on another branch says nothing of this one.
      if (ours !== undefined && ours.hash !== tagged.hash) return null
      return Math.min(tagged.number, head)
    }
    const [safe, finalized] = await Promise.all([reach('safe'), reach('finalized')])
    return { view: position.head.view + 1, head, safe, finalized }
  }

  /** Of the transactions told of blocks that are undone, those the node still knows. */
  async #pendingAgain(node: EvmNode, reverted: readonly BlockRef[]): Promise<ReadonlySet<string>> {
    const told = await inParallel(reverted, lookupsAtOnce, ({ hash }) => this.#toldOf(node, hash))
    const known = new Set<string>()
    await inParallel(told.flat(), lookupsAtOnce, async (txHash) => {
      if ((await node.transaction(txHash)) !== null) known.add(txHash)
    })
    return known
  }

  /** After a restart only the node can say what an undone block held, and not every node keeps it. */
  async #toldOf(node: EvmNode, blockHash: string): Promise<readonly string[]> {
    const told = this.#told.get(blockHash)
    if (told !== undefined) return told
    const block = await node.byHash(blockHash, false)
    return (block?.txHashes ?? []).filter((txHash) => this.#parts.watch.tracks(txHash))
  }

  /** Matches and tells within one tick: nothing can join the watch set in between. */
  async #tell(
    node: EvmNode,
    found: {
      readonly blocks: readonly BlockContents[]
      readonly reverted: readonly BlockRef[]
      readonly pendingAgain: ReadonlySet<string>
      readonly head: ChainHead
    },
  ): Promise<ChainStep> {
    const { chain, source, watch, clock, sink } = this.#parts
    const { blocks, reverted, head } = found
    while (!blocks.every((block) => isComplete(block, watch)))
      await this.#reader.complete(node, blocks)
    const minedAgain = new Set(blocks.flatMap((block) => block.txHashes))
    const step: ChainStep = {
      source,
      at: clock.now(),
      reverted,
      pendingAgain: new Set([...found.pendingAgain].filter((txHash) => !minedAgain.has(txHash))),
      applied: blocks.map((block) => judge(block, watch)),
      head,
    }
    await storing(() => sink.step(chain, step))
    return step
  }

  #moved(position: ChainPosition, step: ChainStep): void {
    const applied = step.applied.map(({ block }) => block)
    const recent = grow(position.recent, { reverted: step.reverted, applied })
    const { head } = step
    const { limits } = this.#parts
    this.#position = { ...position, head, recent: remember(recent, head.finalized, limits) }
    for (const { block, transfers, movedNothing } of step.applied) {
      const told = new Set([...transfers, ...movedNothing].map(({ txHash }) => txHash))
      this.#told.set(block.hash, [...told])
    }
    // Insertion order is age; reverted blocks go with the rest in their time.
    for (const hash of this.#told.keys()) {
      if (this.#told.size <= 2 * limits.windowBlocksMax) break
      this.#told.delete(hash)
    }
  }
}

const changed = (): Failure =>
  new Failure('chain_unavailable', 'The chain changed while it was read.')

/** Keeps the node's failures and the store's apart: they are waited out differently. */
async function storing<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run()
  } catch (cause) {
    if (failedWith(cause, 'chain_mismatch') || failedWith(cause, 'cursor_conflict')) throw cause
    throw new Failure('store_unavailable', 'The step could not be stored.', { cause })
  }
}
