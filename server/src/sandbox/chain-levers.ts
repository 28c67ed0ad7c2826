import { randomBytes } from 'node:crypto'
import { Failure, failedWith } from '@settlewire/core/errors'
import { z } from 'zod'
import { type RpcCall, textOf } from './rpc.ts'

/** The head of the chain after a lever was used. */
export interface SandboxHead {
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
type SandboxBlock = z.infer<typeof blockForm>
const triesMax = 3

/** Makes a development chain do what public chains do by themselves: mine and reorg. */
export class ChainLevers {
  readonly #call: RpcCall
  readonly #floor: number
  /** Levers run one after the other: two in parallel would build on each other's blocks. */
  #turn: Promise<unknown> = Promise.resolve()

  /** Blocks up to `floor` cannot be reorged: they contain the set-up, or were loaded from disk. */
  constructor(call: RpcCall, floor = 0) {
    this.#call = call
    this.#floor = floor
  }

  /** Mines so many blocks at once; the first includes the pending transactions. */
  mine(blocks: number): Promise<SandboxHead> {
    return this.#inTurn(async () => {
      await this.#call('anvil_mine', [quantity(blocks)])
      return this.head()
    })
  }

  /**
   * Replaces the last blocks. With `keep` the new blocks have the same transactions, else these are
   * dropped. Rejects with `invalid_request` if the chain is too short, or if one of the blocks to
   * replace was loaded from disk.
   */
  reorg(depth: number, keep: boolean): Promise<SandboxHead> {
    // Blocks mined meanwhile would be built on the replaced blocks.
    return this.#inTurn(() => this.#whileNothingIsMined(() => this.#reorg(depth, keep)))
  }

  async #reorg(depth: number, keep: boolean): Promise<SandboxHead> {
    for (let tries = 0; tries < triesMax; tries++) {
      const { head } = await this.head()
      this.#mustFit(head, depth)
      const pairs = keep ? await this.#transactionsAbove(head - depth, depth) : []
      // A block whose mining had already begun when mining was paused changed the head: start
      // again.
      if ((await this.#height()) !== head) continue
      await this.#replaceBlocks(depth, pairs)
      if (await this.#isJoined(head - depth)) return this.head()
    }
    throw new Failure(
      'chain_unavailable',
      'The development chain did not keep its blocks in order.',
    )
  }

  #mustFit(head: number, depth: number): void {
    const room = head - this.#floor
    // Without a floor, block 1 stays too. Anvil could replace it, but not the genesis block.
    if (depth <= room && depth < head) return
    const words =
      this.#floor === 0
        ? `The chain has ${head} blocks: reorg fewer than that.`
        : `The chain has ${head} blocks, and the first ${this.#floor} are protected (the set-up of the sandbox, and blocks from before its start): reorg at most ${Math.max(0, room)}, or mine some first.`
    throw new Failure('invalid_request', words)
  }

  async #whileNothingIsMined<T>(run: () => Promise<T>): Promise<T> {
    const seconds = await this.#call('anvil_getIntervalMining')
    const automine = await this.#call('anvil_getAutomine')
    try {
      // Setting the interval to 0 also turns automine off.
      await this.#call('evm_setIntervalMining', [0])
      return await run()
    } finally {
      if (typeof seconds === 'number') {
        // Anvil reports an interval of less than a second as 0.
        await this.#call('evm_setIntervalMining', [Math.max(1, seconds)])
      } else if (automine === true) {
        await this.#call('evm_setAutomine', [true])
      }
    }
  }

  /** Whether each block above `base` has the previous block as its parent. */
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
   * `anvil_reorg` sets the node's clock back to the oldest replaced block. We set it again, or
   * later blocks would have times in the past and deadlines would expire late.
   */
  async #replaceBlocks(depth: number, pairs: readonly [string, number][]): Promise<void> {
    const { timestamp } = await this.#block('pending')
    // A random coinbase, so that an empty new block gets a different hash from the one it replaces.
    await this.#call('anvil_setCoinbase', [`0x${randomBytes(20).toString('hex')}`])
    try {
      await this.#call('anvil_reorg', [depth, pairs])
      await this.#call('evm_setTime', [Number(timestamp)])
    } catch (cause) {
      if (!failedWith(cause, 'chain_unavailable')) throw cause
      // The node only has the states of blocks that it mined itself, not of loaded ones.
      const words =
        'Only blocks mined since the start of the chain can be reorged: reorg fewer, or mine some first.'
      throw new Failure('invalid_request', words, { cause })
    }
  }

  async head(): Promise<SandboxHead> {
    const head = await this.#height()
    const { hash } = await this.#block(head)
    return { head, hash }
  }

  /** Raw transactions, each with the index of its block above `base`. */
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

  async #block(at: number | 'pending'): Promise<SandboxBlock> {
    const tag = at === 'pending' ? at : quantity(at)
    return blockForm.parse(await this.#call('eth_getBlockByNumber', [tag, false]))
  }
}

const quantity = (value: number): string => `0x${value.toString(16)}`
