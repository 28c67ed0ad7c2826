import type { Instant } from '@settlewire/core/instant'
import type { BlockRef, SeenTransfer } from '@settlewire/core/observation'
import type { AppliedBlock, ChainStep, Clock, Log, Sighting, WatchSet } from '../../ports.ts'
import { backoffMs } from './backoff.ts'
import { isHash } from './hex.ts'
import type { Provider } from './provider.ts'
import { type BlockContents, doubtful, isSame, movesIn } from './verdict.ts'

interface Parts {
  readonly providers: readonly Provider[]
  readonly tokens: readonly string[]
  readonly watch: WatchSet
  readonly clock: Clock
  readonly log: Log
  /** Until it is shown whole it is as good as pending. */
  readonly sighted: (provider: Provider, sighting: Sighting) => void
}

/** What turned up after all, and who showed it. */
interface Found {
  readonly provider: Provider
  readonly applied: AppliedBlock
}

/** A transaction of a block that was passed without it. */
interface Doubt {
  readonly block: BlockRef
  readonly txHash: string
  /** What its block's logs show of it; null where they show nothing. */
  readonly hint: SeenTransfer | null
  tries: number
  againAt: Instant
  /** What it moved to us after all; told with the next step. */
  found: Found | null
}

/** At first within a second, at last every five minutes: for about a day. */
const wait = { baseMs: 1_000, maxMs: 300_000 }
const triesMax = 300
const doubtsMax = 1_024

/**
 * What may be ours in blocks that were passed without it, because no provider showed all of it. Each
 * is asked for again, of all providers, until one shows its receipt in that block; what it moved to us
 * is told with the next step. So nothing is lost in silence, and nothing is held up by it.
 */
export class Doubts {
  readonly #parts: Parts
  readonly #tokens: ReadonlySet<string>
  readonly #open = new Map<string, Doubt>()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#tokens = new Set(parts.tokens)
  }

  #add(block: BlockRef, txHash: string, hint: SeenTransfer | null): void {
    const key = `${block.hash} ${txHash}`
    if (this.#open.has(key) || !isHash(txHash)) return
    const { clock, log } = this.#parts
    this.#open.set(key, { block, txHash, hint, tries: 0, againAt: clock.now(), found: null })
    log.error(
      { blockHash: block.hash, head: block.number },
      'a block was passed without a transaction that no node shows whole; it is asked for again',
    )
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= doubtsMax) break
      this.#open.delete(oldest)
    }
  }

  /** Asks for what is due. Never rejects. */
  async #ask(): Promise<void> {
    const { clock } = this.#parts
    const due = [...this.#open.values()].filter(
      ({ found, againAt }) => found === null && againAt <= clock.now(),
    )
    await Promise.all(due.map((doubt) => this.#askOne(doubt)))
  }

  /** What turned up since, of blocks that still stand. */
  found(isCanonical: (hash: string) => boolean): readonly Found[] {
    return [...this.#open.values()].flatMap(({ found, block }) =>
      found !== null && isCanonical(block.hash) ? found : [],
    )
  }

  /** The step is stored: what was found is told, what is undone is over, and what is missing is asked for. */
  stored(
    { applied, late = [], reverted }: ChainStep,
    blocks: readonly BlockContents[],
    reader: Provider,
  ): void {
    const told = new Set(late.map(({ block }) => block.hash))
    const undone = new Set(reverted.map(({ hash }) => hash))
    for (const [key, { block, found }] of this.#open) {
      if (undone.has(block.hash) || (found !== null && told.has(block.hash))) this.#open.delete(key)
    }
    const shown = applied.flatMap(({ transfers }) => transfers)
    for (const block of blocks) {
      for (const [txHash, hint] of doubtful(block, this.#parts.watch)) {
        if (hint !== null && shown.some((transfer) => isSame(transfer, hint))) continue
        this.#add(block.header.ref, txHash, hint)
        if (hint === null) continue
        const sighting = { txHash, transfer: hint, contest: null, preconfirmed: false }
        this.#parts.sighted(reader, sighting)
      }
    }
    void this.#ask()
  }

  /** Never rejects. */
  async #askOne(doubt: Doubt): Promise<void> {
    const { providers, clock, watch } = this.#parts
    const { block, txHash, hint } = doubt
    doubt.againAt = clock.now() + backoffMs(doubt.tries++, wait, clock.chance())
    for (const provider of providers) {
      const receipt = await provider.visit?.node.receipt(txHash).catch(() => null)
      if (receipt?.blockHash !== block.hash) continue
      const transfers = receipt.succeeded ? movesIn(receipt, this.#tokens, watch) : []
      if (hint !== null && receipt.succeeded && !transfers.some((one) => isSame(one, hint)))
        continue
      if (transfers.length > 0) {
        doubt.found = { provider, applied: { block, transfers, movedNothing: [] } }
      } else this.#open.delete(`${block.hash} ${txHash}`)
      return
    }
    if (doubt.tries >= triesMax) this.#open.delete(`${block.hash} ${txHash}`)
  }
}
