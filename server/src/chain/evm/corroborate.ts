import type { BlockRef, SeenTransfer, Source } from '@settlewire/core/observation'
import type { AppliedBlock, ChainStep, Clock, Corroborated, Stop } from '../../ports.ts'
import { isHash } from './hex.ts'
import { inParallel } from './in-parallel.ts'
import type { Limits } from './limits.ts'
import { tokenTransferAt, transferIn } from './logs.ts'
import type { Receipt } from './node.ts'
import type { Provider } from './provider.ts'
import { within } from './within.ts'

/** One inclusion, and who else has shown it so far. */
interface Open {
  readonly inclusion: Corroborated
  readonly shownBy: Set<Provider>
  /** Those that have the very block, and say that it did not move this. */
  readonly deniedBy: Set<Provider>
  /** Of these, those the sink knows of. */
  readonly toldDenied: Set<Provider>
  /** Those the sink knows of; null as long as it knows nothing of the inclusion itself. */
  told: Set<Provider> | null
  /** Steps since it was told. */
  age: number
}

interface Parts {
  readonly providers: readonly Provider[]
  readonly tokens: readonly string[]
  readonly clock: Clock
  readonly limits: Limits
  readonly tell: (source: Source, inclusions: readonly Corroborated[]) => void
  /** A provider says that an inclusion is not so. */
  readonly denied: (source: Source, inclusions: readonly Corroborated[]) => void
}

const askedAtOnce = 16
const askedPerRoundMax = 256
/** What is final already is asked about for so many more steps: it may have been read late. */
const stepsAfterFinal = 16

/**
 * Asks the other providers whether they show the same receipts. What they say in time travels with
 * the step; who comes later is told of afterwards, and asked again with each of its heads, until it
 * agrees, or the block is undone, or has been final for a while.
 */
export class Corroborator {
  readonly #parts: Parts
  readonly #tokens: ReadonlySet<string>
  /** By block and transaction, oldest first. */
  readonly #open = new Map<string, Open>()
  /** Who is being asked, and whether it has had a new head meanwhile. */
  readonly #asking = new Map<Provider, boolean>()
  readonly #later = new Map<Provider, Stop>()
  #isClosed = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#tokens = new Set(parts.tokens)
  }

  /** Asks about blocks that are about to be told, and waits a short time. Never rejects. */
  async before(applied: readonly AppliedBlock[], reader: Provider): Promise<void> {
    if (this.#parts.providers.length < 2) return
    const found = applied.flatMap((block) => inclusionsOf(block))
    if (found.length === 0) return
    for (const inclusion of found) {
      const key = keyOf(inclusion.block, inclusion.txHash)
      const known = this.#open.get(key)
      if (known === undefined || known.told !== null || grew(known.inclusion, inclusion)) {
        this.#open.set(key, opened(inclusion, null))
      }
      this.#open.get(key)?.shownBy.add(reader)
    }
    const keys = new Set(found.map(({ block, txHash }) => keyOf(block, txHash)))
    const asked = this.#parts.providers.map((provider) => this.#ask(provider, keys))
    const { clock, limits } = this.#parts
    await within(clock, Promise.all(asked), limits.corroborateWithinMs)
  }

  /** Whether of an inclusion that was told as many say that it is not so as show it. */
  get isContradicted(): boolean {
    return [...this.#open.values()].some(
      ({ told, deniedBy, shownBy }) =>
        told !== null && deniedBy.size > 0 && deniedBy.size >= shownBy.size,
    )
  }

  /** Who has shown a block's inclusions by now, per transaction. The step's own source comes first. */
  sourcesOf({ block, transfers }: AppliedBlock, source: Source): Map<string, readonly Source[]> {
    const sources = new Map<string, readonly Source[]>()
    for (const { txHash } of transfers) {
      const open = this.#open.get(keyOf(block, txHash))
      const isSame = open?.inclusion.transfers.length === countOf(transfers, txHash)
      const shownBy = isSame ? (open?.shownBy ?? []) : []
      sources.set(txHash, [...new Set([source, ...[...shownBy].map((one) => one.source)])])
    }
    return sources
  }

  /** Who has denied a block's inclusions by now, per transaction. */
  deniersOf({ block, transfers }: AppliedBlock): Map<string, readonly Source[]> {
    const deniers = new Map<string, readonly Source[]>()
    for (const { txHash } of transfers) {
      const { deniedBy = [] } = this.#open.get(keyOf(block, txHash)) ?? {}
      const sources = [...deniedBy].map((one) => one.source)
      if (sources.length > 0) deniers.set(txHash, sources)
    }
    return deniers
  }

  /** The step is stored, with the sources it was told with. */
  stored(step: ChainStep): void {
    if (this.#parts.providers.length < 2) return
    const gone = new Set(step.reverted.map(({ hash }) => hash))
    for (const [key, open] of this.#open) {
      open.age++
      if (gone.has(open.inclusion.block.hash) || this.#isOver(open, step)) this.#open.delete(key)
    }
    for (const applied of [...(step.late ?? []), ...step.applied]) {
      for (const inclusion of inclusionsOf(applied)) this.#began(inclusion, applied, step.source)
    }
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= this.#parts.limits.corroborationsMax) break
      this.#open.delete(oldest)
    }
    // Whoever had the block before it was stored has told no new head since.
    for (const provider of this.#parts.providers) void this.heard(provider)
  }

  /** A block was told by an earlier process, and nobody knows any more who has shown it. */
  recall(applied: AppliedBlock): void {
    for (const inclusion of inclusionsOf(applied)) {
      const key = keyOf(inclusion.block, inclusion.txHash)
      if (this.#open.has(key)) continue
      this.#open.set(key, opened(inclusion, new Set()))
    }
    for (const provider of this.#parts.providers) void this.heard(provider)
  }

  /** Nobody knows whether these were stored; if so, who else has shown them is still to be told. */
  doubt(blocks: readonly AppliedBlock[]): void {
    for (const block of blocks) {
      for (const { block: ref, txHash } of inclusionsOf(block))
        this.#open.delete(keyOf(ref, txHash))
      this.recall(block)
    }
  }

  /** A provider has a new head, so it may show what it did not show before. Never rejects. */
  async heard(provider: Provider): Promise<void> {
    if (this.#asking.has(provider)) {
      this.#asking.set(provider, true)
      return
    }
    this.#later.get(provider)?.()
    do {
      this.#asking.set(provider, false)
      await this.#ask(provider, new Set(this.#missing(provider)))
    } while (this.#asking.get(provider))
    this.#asking.delete(provider)
    this.#askLater(provider)
  }

  /** Asks nobody any more. */
  close(): void {
    this.#isClosed = true
    this.#open.clear()
    for (const stop of this.#later.values()) stop()
  }

  /** What was told of and this provider has not shown yet. */
  #missing(provider: Provider): string[] {
    return [...this.#open]
      .filter(([, { told }]) => told !== null && !told.has(provider))
      .map(([key]) => key)
      .slice(0, askedPerRoundMax)
  }

  /** A chain that stands still has no heads to go by. */
  #askLater(provider: Provider): void {
    const { clock, limits } = this.#parts
    if (this.#isClosed || !provider.isUp || this.#missing(provider).length === 0) return
    const stop = clock.after(limits.headPollMs, () => void this.heard(provider))
    this.#later.set(provider, stop)
  }

  #began(inclusion: Corroborated, applied: AppliedBlock, source: Source): void {
    const key = keyOf(inclusion.block, inclusion.txHash)
    const known = this.#open.get(key)
    const sources = new Set(applied.sources?.get(inclusion.txHash) ?? [source])
    const told = new Set(this.#parts.providers.filter((one) => sources.has(one.source)))
    const isSame = known !== undefined && !grew(known.inclusion, inclusion)
    const open = isSame ? known : opened(inclusion, told)
    open.told = told
    open.age = 0
    this.#open.set(key, open)
    const carried = applied.deniedBy?.get(inclusion.txHash) ?? []
    for (const one of open.deniedBy) if (carried.includes(one.source)) open.toldDenied.add(one)
    for (const provider of open.deniedBy) this.#denied(open, provider)
    for (const provider of [...told, ...open.shownBy]) this.#shown(open, provider)
    if (told.size === this.#parts.providers.length) this.#open.delete(key)
  }

  #isOver({ inclusion, age }: Open, { head }: ChainStep): boolean {
    const isFinal = head.finalized !== null && inclusion.block.number <= head.finalized
    return age > (isFinal ? stepsAfterFinal : this.#parts.limits.windowBlocksMin)
  }

  /** Never rejects: who cannot be asked now is asked with its next head. */
  async #ask(provider: Provider, keys: ReadonlySet<string>): Promise<void> {
    const head = provider.head?.ref.number ?? -1
    const open = [...keys].flatMap((key) => this.#open.get(key) ?? [])
    const due = open.filter(
      ({ inclusion, shownBy }) => !shownBy.has(provider) && inclusion.block.number <= head,
    )
    await inParallel(due, askedAtOnce, async (one) => {
      const shows = await this.#shows(provider, one.inclusion).catch(() => null)
      if (shows === false) this.#denied(one, provider)
      if (shows) this.#shown(one, provider)
    })
  }

  #denied(open: Open, provider: Provider): void {
    const { deniedBy, shownBy, toldDenied, told, inclusion } = open
    const isFirst = toldDenied.size === 0
    deniedBy.add(provider)
    if (told === null || toldDenied.has(provider)) return
    toldDenied.add(provider)
    provider.score.disagreements++
    for (const one of shownBy) one.score.disagreements++
    this.#parts.denied(provider.source, [inclusion])
    // Those that show it count beyond the quorum from now on.
    if (isFirst) for (const one of shownBy) this.#parts.tell(one.source, [inclusion])
  }

  #shown(open: Open, provider: Provider): void {
    open.shownBy.add(provider)
    open.deniedBy.delete(provider)
    const isTakenBack = open.toldDenied.delete(provider)
    if (open.told === null || (open.told.has(provider) && !isTakenBack)) return
    open.told.add(provider)
    this.#parts.tell(provider.source, [open.inclusion])
    const { inclusion, told } = open
    if (told.size === this.#parts.providers.length) {
      this.#open.delete(keyOf(inclusion.block, inclusion.txHash))
    }
  }

  /** Null when it says nothing of this block: it may be behind, or on another branch. */
  async #shows(
    provider: Provider,
    { txHash, block, transfers }: Corroborated,
  ): Promise<boolean | null> {
    const { visit } = provider
    if (visit === null) return null
    // What a block did to a balance has no receipt: that it is the same block must do.
    if (!isHash(txHash)) return (await provider.hashAt(block.number, true)) === block.hash || null
    const receipt = await visit.node.receipt(txHash)
    if (receipt === null) {
      // A receipt may be late; a block that does not hold the transaction never will.
      const same = await visit.node.byHash(block.hash, false)
      return same?.txHashes?.includes(txHash) === false ? false : null
    }
    if (receipt.blockHash !== block.hash) return null
    if (!receipt.succeeded) return false
    return transfers.every((transfer) => this.#holds(receipt, transfer))
  }

  /** Whether the log at that place moves the same. What is no log follows from status and block. */
  #holds(receipt: Receipt, transfer: SeenTransfer): boolean {
    const { ordinal } = transfer
    if (typeof ordinal !== 'number') return true
    const found = transferIn(receipt.logs[ordinal], this.#tokens)
    const shown = found === null ? null : tokenTransferAt(found, ordinal)
    return shown !== null && sameFields.every((field) => shown[field] === transfer[field])
  }
}

const sameFields = ['token', 'from', 'to', 'amount', 'txHash'] as const

const opened = (inclusion: Corroborated, told: Set<Provider> | null): Open => ({
  ...{ inclusion, told, age: 0 },
  ...{ shownBy: new Set<Provider>(), deniedBy: new Set<Provider>() },
  toldDenied: new Set<Provider>(),
})

const keyOf = (block: BlockRef, txHash: string): string => `${block.hash} ${txHash}`

const countOf = (transfers: readonly SeenTransfer[], txHash: string): number =>
  transfers.filter((transfer) => transfer.txHash === txHash).length

/** Someone joined the watch set meanwhile: there is more to show than was asked about. */
const grew = (before: Corroborated, now: Corroborated): boolean =>
  before.transfers.length !== now.transfers.length

function inclusionsOf({ block, transfers }: AppliedBlock): Corroborated[] {
  const byHash = new Map<string, SeenTransfer[]>()
  for (const transfer of transfers) {
    const together = byHash.get(transfer.txHash)
    if (together === undefined) byHash.set(transfer.txHash, [transfer])
    else together.push(transfer)
  }
  return [...byHash].map(([txHash, moved]) => ({ txHash, block, transfers: moved }))
}
