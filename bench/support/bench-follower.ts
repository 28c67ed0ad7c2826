import { performance } from 'node:perf_hooks'
import { BlockReader } from '../../server/src/chain/evm/ballot/blocks.ts'
import { judge } from '../../server/src/chain/evm/block/verdict.ts'
import { defaultLimits } from '../../server/src/chain/evm/node/limits.ts'
import { systemClock } from '../../server/src/clock.ts'
import type { AppliedBlock } from '../../server/src/ports/chain.ts'
import type { FollowWorld } from './follow-world.ts'
import { type BlockTexts, blockOf, nodeWith, strangerOf, token } from './memory-node.ts'
import { collectYoung } from './process-usage.ts'

export const transfersPerBlock = 2_000

/** A block of transfers, and the addresses of payments that are paid in it. */
export interface PaidBlock {
  readonly number: number
  readonly paid: readonly string[]
  readonly texts: BlockTexts
}

/** Follows chain `one`, block by block. */
export class BenchFollower {
  readonly matchMs: number[] = []
  readonly parseMs: number[] = []
  readonly commitMs: number[] = []
  readonly quietMs: number[] = []
  readonly #world: FollowWorld
  readonly #reader: BlockReader
  /** The number of the last block made. */
  #made = 0
  /** The number of the last block followed. */
  #number = 0

  constructor(world: FollowWorld) {
    this.#world = world
    const watch = world.watcher.watchSet('one')
    const parts = { watch, clock: systemClock, limits: defaultLimits, multicall3: null }
    this.#reader = new BlockReader({ tokens: [token], ...parts })
  }

  /** Makes a block that pays these addresses among strangers. Follow blocks in order of making. */
  make(paid: readonly string[]): PaidBlock {
    const strangers = Array.from({ length: transfersPerBlock - paid.length }, (_, i) =>
      strangerOf(i),
    )
    const number = ++this.#made
    return { number, paid, texts: blockOf(number, [...paid, ...strangers], 1_000_000n) }
  }

  async follow({ number, paid, texts }: PaidBlock): Promise<void> {
    this.#number = number
    const node = nodeWith(texts)
    const watch = this.#world.watcher.watchSet('one')
    const startedAt = performance.now()
    const [contents] = await this.#reader.read(node, [texts.header])
    if (contents === undefined) throw new Error('the reader returned no block')
    await this.#reader.complete(node, [contents])
    const applied = judge(contents, watch)
    const matchedAt = performance.now()
    // Collects the texts that this bench made, so that their collection is not part of a commit.
    collectYoung()
    if (applied.transfers.length !== paid.length) throw new Error('not every payment was matched')
    this.matchMs.push(matchedAt - startedAt)
    const paidTexts = [...texts.receipts.values()].slice(0, paid.length)
    const calls = [...texts.transactions.values()].slice(0, paid.length)
    const parsedAt = performance.now()
    for (const text of [texts.block, texts.logs, ...paidTexts, ...calls]) JSON.parse(text)
    this.parseMs.push(performance.now() - parsedAt)
    this.commitMs.push(await this.#store(applied))
  }

  /** Applies three empty blocks, enough to make the paid money final. */
  async quiet(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      const { header } = blockOf(++this.#made, [], 0n)
      this.#number = this.#made
      this.quietMs.push(await this.#store({ block: header.ref, transfers: [], movedNothing: [] }))
    }
  }

  async #store(applied: AppliedBlock): Promise<number> {
    const head = this.#number
    const finalized = Math.max(0, head - 1)
    const startedAt = performance.now()
    await this.#world.watcher.step('one', {
      ...{ source: 'rpc:bench', at: Date.now(), reverted: [], pendingAgain: new Set<string>() },
      applied: [applied],
      head: { view: head, head, safe: finalized, finalized },
    })
    return performance.now() - startedAt
  }
}
