import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'
import type { WatchSet } from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import { backoffMs } from '../node/backoff.ts'
import { isHash } from '../node/hex.ts'
import type { EvmNode } from '../node/node.ts'
import type { Provider } from '../provider/provider.ts'

interface PassedParts {
  readonly providers: readonly Provider[]
  readonly watch: WatchSet
  readonly clock: Clock
  /** Called when a stored block holds this transaction, but perhaps its record lacks it. */
  readonly found: (block: BlockRef, txHash: string) => void
}

interface Sought {
  /** A receipt shows that it pays: it is looked for even if the transaction was unknown before. */
  isShown: boolean
  tries: number
  againAt: Instant
}

/**
 * Asked within a second at first, within five minutes at the end, and for about 12 hours: the
 * jitter halves the mean wait.
 */
const wait = { baseMs: 1_000, maxMs: 300_000 }
const triesMax = 300
/** This many are asked for at a time; the others wait in order. */
const atOnceMax = 64
/**
 * Limited, because filling a mempool is cheap. Further ones are found when their block is read, or
 * by a rescan.
 */
const soughtMax = 100_000

/**
 * Looks in stored blocks for transactions that are on record as pending, and for those whose
 * receipt a provider shows when a payer names them. Which blocks must be read again is kept in
 * memory only: if a process ends before that, their transactions stay pending, and the next process
 * begins by looking for all pending ones.
 */
export class Passed {
  readonly #parts: PassedParts
  readonly #sought = new Map<string, Sought>()
  /** The last stored block; null before it is known. */
  #storedTo: number | null = null

  constructor(parts: PassedParts) {
    this.#parts = parts
  }

  /**
   * Asks for these transactions repeatedly until they are on record, are no longer expected, or
   * were asked for too often.
   */
  seek(txHashes: Iterable<string>): void {
    for (const txHash of txHashes) {
      if (this.#sought.size >= soughtMax) break
      if (!isHash(txHash) || this.#sought.has(txHash)) continue
      this.#add(txHash, false)
    }
    void this.#ask()
  }

  /**
   * A provider shows a receipt in this block that pays us. If the block is not stored yet, reading
   * it will report the transaction, so only an expected one is looked for.
   */
  shown(txHash: string, blockNumber: number): void {
    const isPassed = this.#storedTo !== null && blockNumber <= this.#storedTo
    if (!isPassed) {
      if (this.#parts.watch.expects(txHash)) this.seek([txHash])
      return
    }
    const known = this.#sought.get(txHash)
    if (known !== undefined) known.isShown = true
    else if (this.#sought.size < soughtMax && isHash(txHash)) this.#add(txHash, true)
    void this.#ask()
  }

  /** Stored up to this block. */
  stored(number: number): void {
    this.#storedTo = number
    void this.#ask()
  }

  #add(txHash: string, isShown: boolean): void {
    this.#sought.set(txHash, { isShown, tries: 0, againAt: this.#parts.clock.now() })
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    if (this.#storedTo === null) return
    const now = this.#parts.clock.now()
    const due = [...this.#sought].filter(([, { againAt }]) => againAt <= now).slice(0, atOnceMax)
    await Promise.all(due.map(([txHash, sought]) => this.#askFor(txHash, sought)))
  }

  async #askFor(txHash: string, sought: Sought): Promise<void> {
    const { providers, watch, clock, found } = this.#parts
    sought.againAt = clock.now() + backoffMs(sought.tries++, wait, clock.chance())
    const isNoLongerNeeded = (): boolean => !sought.isShown && !watch.expects(txHash)
    if (isNoLongerNeeded() || sought.tries > triesMax) {
      this.#sought.delete(txHash)
      return
    }
    for (const { visit } of providers) {
      const block = visit && (await this.#blockOf(visit.node, txHash).catch(() => null))
      // It may be on record by now.
      if (block === null || isNoLongerNeeded()) continue
      this.#sought.delete(txHash)
      found(block, txHash)
      return
    }
  }

  /**
   * The block of this node's chain that holds it; null if that is not stored yet, or not canonical.
   */
  async #blockOf(node: EvmNode, txHash: string): Promise<BlockRef | null> {
    const hash = (await node.receipt(txHash))?.blockHash ?? null
    const block = hash === null ? null : ((await node.byHash(hash, false))?.ref ?? null)
    if (block === null || this.#storedTo === null || block.number > this.#storedTo) return null
    const same = await node.byNumber(block.number, false)
    return same?.ref.hash === hash ? block : null
  }
}
