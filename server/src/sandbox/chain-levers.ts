import { Failure, failedWith } from '@settlewire/core/errors'
import { z } from 'zod'
import { type Call, textOf } from './rpc.ts'

/** Where the chain stands after a lever was pulled. */
export interface ChainHead {
  readonly head: number
  readonly hash: string
}

const blockForm = z.object({
  number: z.string(),
  hash: z.string(),
  parentHash: z.string(),
  timestamp: z.string(),
  transactions: z.array(z.string()),
})
type Block = z.infer<typeof blockForm>
const triesMax = 3

/** What a development chain can be made to do: what a public chain does by itself. */
export class ChainLevers {
  readonly #call: Call
  readonly #floor: number
  /** Pulled one after the other: two at once would build on each other's blocks. */
  #turn: Promise<unknown> = Promise.resolve()

  /** Blocks up to `floor` stay: the sandbox's own set-up is in them, or they were loaded from disk. */
  constructor(call: Call, floor = 0) {
    this.#call = call
    this.#floor = floor
  }

  /** Mines so many blocks at once; the first of them takes what waits. */
  mine(blocks: number): Promise<ChainHead> {
    return this.#inTurn(async () => {
      await this.#call('anvil_mine', [quantity(blocks)])
      return this.head()
    })
  }

  /**
   * Puts other blocks in the place of the last ones. With `keep` their transactions are in the new
   * ones, else they are gone as if they had never been sent. Rejects with `invalid_request` when the
   * chain is not longer than that, or was loaded from disk at a later block.
   */
  reorg(depth: number, keep: boolean): Promise<ChainHead> {
    // Blocks that come by themselves meanwhile would be built on blocks that are being taken back.
    return this.#inTurn(() => this.#whileNothingIsMined(() => this.#reorg(depth, keep)))
  }

  async #reorg(depth: number, keep: boolean): Promise<ChainHead> {
    for (let tries = 0; tries < triesMax; tries++) {
      const { head } = await this.head()
      this.#mustFit(head, depth)
      const pairs = keep ? await this.#transactionsAbove(head - depth, depth) : []
      // One that had begun before the mining was stopped.
      if ((await this.#height()) !== head) continue
      await this.#takeBack(depth, pairs)
      if (await this.#isJoined(head - depth)) return this.head()
    }
    throw new Failure(
      'chain_unavailable',
      'The development chain did not keep its blocks in order.',
    )
  }

  #mustFit(head: number, depth: number): void {
    const room = head - this.#floor
    // The first block of all has none before it that could be built on.
    if (depth <= room && depth < head) return
    const words =
      this.#floor === 0
        ? `The chain has ${head} blocks: reorg fewer than that.`
        : `The chain has ${head} blocks, and the first ${this.#floor} stay (the set-up of the sandbox, and what was there when it started): reorg at most ${Math.max(0, room)}, or mine some first.`
    throw new Failure('invalid_request', words)
  }

  async #whileNothingIsMined<T>(run: () => Promise<T>): Promise<T> {
    const seconds = await this.#call('anvil_getIntervalMining')
    const atOnce = await this.#call('anvil_getAutomine')
    try {
      // This also ends mining at once.
      await this.#call('evm_setIntervalMining', [0])
      return await run()
    } finally {
      if (typeof seconds === 'number') {
        // Less than a second is told as none.
        await this.#call('evm_setIntervalMining', [Math.max(1, seconds)])
      } else if (atOnce === true) {
        await this.#call('evm_setAutomine', [true])
      }
    }
  }

  /** Whether each block above has the one below it as its parent. */
  async #isJoined(base: number): Promise<boolean> {
    let { hash } = await this.#block(base)
    for (let number = base + 1; number <= (await this.#height()); number++) {
      const block = await this.#block(number)
      if (block.parentHash !== hash || Number(block.number) !== number) return false
      hash = block.hash
    }
    return true
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(run)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /**
   * The node keeps the states of the blocks that it made itself, not of those that it loaded. It also
   * sets its clock back to the oldest of them, and every later block and deadline would be late.
   */
  async #takeBack(depth: number, pairs: readonly [string, number][]): Promise<void> {
    const { timestamp } = await this.#block('pending')
    try {
      await this.#call('anvil_reorg', [depth, pairs])
      await this.#call('evm_setTime', [Number(timestamp)])
    } catch (cause) {
      if (!failedWith(cause, 'chain_unavailable')) throw cause
      const words =
        'The chain can be taken back by the blocks made since it was started: reorg fewer, or mine some first.'
      throw new Failure('invalid_request', words, { cause })
    }
  }

  async head(): Promise<ChainHead> {
    const head = await this.#height()
    const { hash } = await this.#block(head)
    return { head, hash }
  }

  /** Raw, each with the place of its block among those above. */
  async #transactionsAbove(base: number, depth: number): Promise<[string, number][]> {
    const pairs: [string, number][] = []
    for (let place = 0; place < depth; place++) {
      const { transactions } = await this.#block(base + 1 + place)
      for (const hash of transactions) {
        pairs.push([await textOf(this.#call('eth_getRawTransactionByHash', [hash])), place])
      }
    }
    return pairs
  }

  async #height(): Promise<number> {
    return Number(await textOf(this.#call('eth_blockNumber')))
  }

  async #block(at: number | 'pending'): Promise<Block> {
    const tag = at === 'pending' ? at : quantity(at)
    return blockForm.parse(await this.#call('eth_getBlockByNumber', [tag, false]))
  }
}

const quantity = (value: number): string => `0x${value.toString(16)}`
