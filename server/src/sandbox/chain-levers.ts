import { Failure, failedWith } from '@settlewire/core/errors'
import { z } from 'zod'
import { type Call, textOf } from './rpc.ts'

/** Where the chain stands after a lever was pulled. */
export interface ChainHead {
  readonly head: number
  readonly hash: string
}

const blockForm = z.object({
  hash: z.string(),
  timestamp: z.string(),
  transactions: z.array(z.string()),
})
const triesMax = 5

/** What a development chain can be made to do: what a public chain does by itself. */
export class ChainLevers {
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  /** Mines so many blocks at once; the first of them takes what waits. */
  async mine(blocks: number): Promise<ChainHead> {
    await this.#call('anvil_mine', [quantity(blocks)])
    return this.head()
  }

  /**
   * Puts other blocks in the place of the last ones. With `keep` their transactions are in the new
   * ones, else they are gone as if they had never been sent. Rejects with `invalid_request` when the
   * chain is not longer than that, or was loaded from disk at a later block.
   */
  async reorg(depth: number, keep: boolean): Promise<ChainHead> {
    for (let tries = 0; tries < triesMax; tries++) {
      const { head } = await this.head()
      if (depth >= head) {
        throw new Failure('invalid_request', `The chain has ${head} blocks: reorg fewer than that.`)
      }
      const pairs = keep ? await this.#transactionsAbove(head - depth, depth) : []
      // A block that came meanwhile would be taken back in the place of the first one.
      if ((await this.#height()) !== head) continue
      await this.#takeBack(depth, pairs)
      return this.head()
    }
    throw new Failure('chain_unavailable', 'The development chain mines too fast to be reorged.')
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

  async #block(at: number | 'pending'): Promise<z.infer<typeof blockForm>> {
    const tag = at === 'pending' ? at : quantity(at)
    return blockForm.parse(await this.#call('eth_getBlockByNumber', [tag, false]))
  }
}

const quantity = (value: number): string => `0x${value.toString(16)}`
