import type { SeenTransfer } from '@settlewire/core/observation'
import type { AppliedBlock, ChainStep, Clock, WatchSet } from '../../ports.ts'
import { BlockReader } from './blocks.ts'
import { bloomTest } from './bloom.ts'
import { inParallel } from './in-parallel.ts'
import type { Limits } from './limits.ts'
import { tokenTransfers, transferTopic } from './logs.ts'
import type { Header } from './node.ts'
import type { Provider } from './provider.ts'
import { type BlockContents, isComplete, judge } from './verdict.ts'

/** What another provider shows of a block beside what its reader showed. */
export interface Beside {
  readonly provider: Provider
  readonly applied: AppliedBlock
}

interface Parts {
  readonly providers: readonly Provider[]
  readonly tokens: readonly string[]
  readonly watch: WatchSet
  readonly clock: Clock
  readonly limits: Limits
}

/** One block, and what the others have shown of it so far. */
interface Look {
  readonly header: Header
  reader: Provider
  readonly shown: Map<Provider, BlockContents>
  readonly asking: Set<Provider>
  /** How often each was asked. */
  readonly asked: Map<Provider, number>
  /** The transactions that were told of it; null as long as it is not stored. */
  told: Set<string> | null
  isBlamed: boolean
}

const askedAtOnce = 16
/** Blocks that one provider may owe an answer for; of more it is asked with a later head. */
const owedMax = 256
/** Blocks that are remembered for who has not answered yet; the oldest of more are let go. */
const looksMax = 512
/** Who does not know a block after so many questions is on another branch. */
const asksMax = 8
const emptyAsksMax = 3

/**
 * Asks every provider for the logs of the blocks that one is read for, so that no single provider,
 * be it behind or lying, can hide a payment. Who answers in time adds to the step; what comes later
 * is told with a later step, for as long as the block is canonical.
 */
export class OtherViews {
  readonly #parts: Parts
  readonly #tokens: ReadonlySet<string>
  readonly #mayHold: (logsBloom: unknown) => boolean
  readonly #reader: BlockReader
  /** By block, oldest first. */
  readonly #looks = new Map<string, Look>()
  /** Blocks that each has been asked for and has not answered. */
  readonly #owed = new Map<Provider, number>()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#tokens = new Set(parts.tokens)
    this.#mayHold = bloomTest(parts.tokens, transferTopic)
    this.#reader = new BlockReader(parts)
  }

  /** Resolves when all have answered that did not owe an answer before. Never rejects. */
  async ask(headers: readonly Header[], reader: Provider): Promise<void> {
    const { providers, tokens } = this.#parts
    if (providers.length < 2 || tokens.length === 0) return
    const looks = headers.map((header) => this.#lookAt(header, reader))
    const others = providers.filter((provider) => provider !== reader && provider.isUp)
    const prompt = others.filter((provider) => !this.#owed.get(provider))
    const asked = others.map((provider) => this.#ask(provider, looks))
    await Promise.all(asked.filter((_, at) => prompt.includes(others[at] ?? reader)))
  }

  /** A provider has a new head, so it may know what it did not know before. Never rejects. */
  async heard(provider: Provider): Promise<void> {
    const head = provider.head?.ref.number ?? -1
    const looks = [...this.#looks.values()].filter(({ header }) => header.ref.number <= head)
    await this.#ask(provider, looks)
    const half = looks.flatMap(({ shown }) => shown.get(provider) ?? [])
    for (const block of half) await this.#fill(provider, block).catch(() => undefined)
  }

  /** What is not among these blocks, nor was told of canonical ones before. Each is told once. */
  beside(applied: readonly AppliedBlock[], isCanonical: (hash: string) => boolean): Beside[] {
    const fresh = new Map(applied.map((block) => [block.block.hash, block]))
    const found: Beside[] = []
    for (const [hash, look] of this.#looks) {
      if (look.shown.size === 0) continue
      const inStep = fresh.get(hash)
      if (inStep === undefined && (look.told === null || !isCanonical(hash))) continue
      const taken = new Set(inStep === undefined ? look.told : [])
      for (const [provider, block] of look.shown) {
        const more = this.#moreIn(block, inStep?.transfers ?? [], taken)
        if (more === null) continue
        for (const { txHash } of more.transfers) taken.add(txHash)
        if (!look.isBlamed) look.reader.score.logsEmpty++
        look.isBlamed = true
        found.push({ provider, applied: more })
      }
    }
    return found
  }

  /** The step is stored. */
  stored({ reverted, applied, late = [] }: ChainStep): void {
    for (const { hash } of reverted) this.#looks.delete(hash)
    for (const { block, transfers } of [...applied, ...late]) {
      const look = this.#looks.get(block.hash)
      if (look === undefined) continue
      look.told ??= new Set()
      for (const { txHash } of transfers) look.told.add(txHash)
      for (const [provider, shown] of look.shown) this.#keep(look, provider, shown)
    }
    for (const oldest of this.#looks.keys()) {
      if (this.#looks.size <= looksMax) break
      this.#looks.delete(oldest)
    }
  }

  #lookAt(header: Header, reader: Provider): Look {
    const { hash } = header.ref
    const known = this.#looks.get(hash)
    if (known !== undefined && known.told === null) {
      known.reader = reader
      return known
    }
    const look: Look = {
      ...{ reader, told: null, isBlamed: false },
      ...{ shown: new Map(), asking: new Set(), asked: new Map() },
      // The reader's word for what is in the block is what is in doubt.
      header: { ...header, txHashes: null, values: null, listed: null },
    }
    this.#looks.delete(hash)
    this.#looks.set(hash, look)
    return look
  }

  async #ask(provider: Provider, looks: readonly Look[]): Promise<void> {
    const owed = this.#owed.get(provider) ?? 0
    const due = looks
      .filter((look) => look.reader !== provider && !look.shown.has(provider))
      .filter((look) => !look.asking.has(provider) && (look.asked.get(provider) ?? 0) < asksMax)
      .slice(0, owedMax - owed)
    if (due.length === 0) return
    this.#owed.set(provider, owed + due.length)
    for (const look of due) look.asking.add(provider)
    await inParallel(due, askedAtOnce, async (look) => {
      await this.#askOne(provider, look).catch(() => undefined)
      look.asking.delete(provider)
      this.#owed.set(provider, (this.#owed.get(provider) ?? 1) - 1)
    })
  }

  async #askOne(provider: Provider, look: Look): Promise<void> {
    const { visit } = provider
    if (visit === null) return
    const { header } = look
    const asks = (look.asked.get(provider) ?? 0) + 1
    look.asked.set(provider, asks)
    const logs = await visit.node.logs(header.ref.hash, this.#parts.tokens, transferTopic)
    // Whoever does not know the block has said nothing of it.
    if (logs === null) return
    if (logs.length === 0 && asks < emptyAsksMax && this.#isDoubtful(provider, header)) return
    const transfers = tokenTransfers(logs, this.#tokens, header.ref.hash)
    const none = { txHashes: [], values: [], inner: [], found: null }
    const block = { ...none, header, transfers, receipts: new Map(), calls: new Map() }
    this.#keep(look, provider, block)
    await this.#fill(provider, block)
  }

  /** Whether an empty answer may only mean that it has not got to the block's logs yet. */
  #isDoubtful({ head }: Provider, { ref, logsBloom }: Header): boolean {
    if (head === null || head.ref.number < ref.number) return true
    return this.#mayHold(head.ref.hash === ref.hash ? head.logsBloom : logsBloom)
  }

  /** Of a block that was told already, nothing is for whoever joins from now on. */
  #keep(look: Look, provider: Provider, block: BlockContents): void {
    const { watch } = this.#parts
    const isForNobody =
      look.told !== null && isComplete(block, watch) && judged(block, watch)?.transfers.length === 0
    look.shown.set(provider, isForNobody ? { ...block, transfers: [], found: null } : block)
  }

  async #fill(provider: Provider, block: BlockContents): Promise<void> {
    const { visit } = provider
    if (visit === null || isComplete(block, this.#parts.watch)) return
    await this.#reader.complete(visit.node, [block])
  }

  #moreIn(
    block: BlockContents,
    shown: readonly SeenTransfer[],
    taken: ReadonlySet<string>,
  ): AppliedBlock | null {
    if (block.transfers.length === 0 || !isComplete(block, this.#parts.watch)) return null
    const applied = judged(block, this.#parts.watch)
    if (applied === null) return null
    const more = applied.transfers.filter(({ txHash }) => {
      const isOf = (transfer: SeenTransfer): boolean => transfer.txHash === txHash
      return !taken.has(txHash) && holdsMore(applied.transfers.filter(isOf), shown.filter(isOf))
    })
    return more.length === 0 ? null : { ...applied, transfers: more }
  }
}

/** The blocks with what others show beside; of a transaction that both show, the fuller one counts. */
export function together(
  applied: readonly AppliedBlock[],
  beside: readonly AppliedBlock[],
): AppliedBlock[] {
  const whole = new Map(applied.map((block) => [block.block.hash, block]))
  for (const more of beside) {
    const block = whole.get(more.block.hash)
    const added = new Set(more.transfers.map(({ txHash }) => txHash))
    const isOther = ({ txHash }: { readonly txHash: string }): boolean => !added.has(txHash)
    whole.set(more.block.hash, {
      block: more.block,
      transfers: [...(block?.transfers.filter(isOther) ?? []), ...more.transfers],
      movedNothing: block?.movedNothing.filter(isOther) ?? [],
      sources: new Map([...(block?.sources ?? []), ...(more.sources ?? [])]),
      deniedBy: new Map([...(block?.deniedBy ?? []), ...(more.deniedBy ?? [])]),
      calls: new Map([...(block?.calls ?? []), ...(more.calls ?? [])]),
    })
  }
  return [...whole.values()]
}

/** Null when the provider's own answers contradict each other: then it has shown nothing. */
function judged(block: BlockContents, watch: WatchSet): AppliedBlock | null {
  try {
    return judge(block, watch)
  } catch {
    return null
  }
}

/** Whether there is all of the other, and something on top. */
const holdsMore = (whole: readonly SeenTransfer[], part: readonly SeenTransfer[]): boolean =>
  whole.length > part.length &&
  part.every((one) =>
    whole.some(
      ({ ordinal, to, amount }) =>
        ordinal === one.ordinal && to === one.to && amount === one.amount,
    ),
  )
