import { Failure } from '@settlewire/core/errors'
import type { Acceptance } from '@settlewire/core/payment'
import type { LocalChain } from './local-chain.ts'
import { textOf, word } from './rpc.ts'
import { balanceOf } from './token.ts'

const transferSelector = '0xa9059cbb'

/** One payment that the wallet sends. */
export interface Paying {
  readonly accept: Pick<Acceptance, 'chain' | 'token' | 'address'>
  /** In the asset's smallest unit. */
  readonly amount: bigint
}

/**
 * The payer of the sandbox: an unlocked account of the development chain. What it sends is a real
 * transaction, and nothing but the chain tells the server of it.
 */
export class SandboxWallet {
  readonly address: string
  readonly #chain: LocalChain
  /** Sends one after the other: two at once could get the same nonce. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(chain: LocalChain, address: string) {
    this.#chain = chain
    this.address = address
  }

  /**
   * Resolves with the hash when the chain has taken the transaction, which is before it is mined.
   * Throws `invalid_amount` when the wallet does not hold as much.
   */
  pay(paying: Paying): Promise<string> {
    const sent = this.#turn.then(() => this.#send(paying))
    this.#turn = sent.catch(() => undefined)
    return sent
  }

  async #send({ accept, amount }: Paying): Promise<string> {
    const { token, address } = accept
    const { call } = this.#chain
    const held =
      token === null
        ? BigInt(await textOf(call('eth_getBalance', [this.address, 'latest'])))
        : await balanceOf(this.#chain, this.address)
    if (held < amount) {
      throw new Failure('invalid_amount', 'The sandbox wallet does not hold that much.')
    }
    const transaction =
      token === null
        ? { from: this.address, to: address, value: `0x${amount.toString(16)}` }
        : { from: this.address, to: token, data: transferSelector + word(address) + word(amount) }
    return (await textOf(call('eth_sendTransaction', [transaction]))).toLowerCase()
  }
}
