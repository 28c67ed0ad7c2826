import { Failure } from '@settlewire/core/errors'
import type { Acceptance } from '@settlewire/core/payment/payment'
import type { LocalChain } from './local-chain.ts'
import { type Draft, type PayWay, ways } from './pay-ways.ts'
import { names, outbid, type Pooled, poolOf } from './pool.ts'
import type { Cast } from './prepare-chain.ts'
import { textOf } from './rpc.ts'
import { balanceOf } from './token.ts'

/** One payment that the wallet sends. */
export interface Paying {
  readonly accept: Pick<Acceptance, 'chain' | 'token' | 'address'>
  /** In the asset's smallest unit. */
  readonly amount: bigint
  readonly way?: PayWay
  /** No block takes it until it is sped up. */
  readonly hold?: boolean
}

/** A transaction that the chain has taken, which is before it is mined. */
export interface Sent {
  readonly txHash: string
  /** Who signed it. */
  readonly from: string
}

/** A transaction that took the place of another one. */
export interface Replaced extends Sent {
  readonly replacedTxHash: string
}

/** Of a public network's blocks none has room for so much; what asks for more waits for ever. */
const roomier = 4n
const plainTransferGas = '0x5208'
/** So many of its own transactions it remembers the order of. */
const sentMax = 1_000

/**
 * The payer of the sandbox: unlocked accounts of the development chain. What it sends is a real
 * transaction, and nothing but the chain tells the server of it.
 */
export class SandboxWallet {
  readonly address: string
  readonly #chain: Pick<LocalChain, 'call'>
  readonly #cast: Cast
  /** Hashes, oldest first. */
  readonly #sent: string[] = []
  /** Sends one after the other: two at once could get the same nonce. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(chain: Pick<LocalChain, 'call'>, cast: Cast) {
    this.#chain = chain
    this.#cast = cast
    this.address = cast.payer
  }

  /**
   * Rejects with `invalid_amount` when it does not hold as much, `unsupported_asset` when the asset
   * cannot be sent that way, `overloaded` when every account that can hold one holds one.
   */
  pay(paying: Paying): Promise<Sent> {
    return this.#inTurn(() => this.#pay(paying))
  }

  /**
   * Sends the last transaction to this address that still waits again, for an eighth more: the nodes
   * take it in the place of the first. Rejects with `not_found` when none waits; so do the others.
   */
  speedUp(address: string): Promise<Replaced> {
    return this.#inTurn(() =>
      this.#replace(address, ({ to, input, value }) => ({ to, input, value })),
    )
  }

  /** Takes the place of the transaction with one to the sender itself: the money stays. */
  cancel(address: string): Promise<Replaced> {
    return this.#inTurn(() =>
      this.#replace(address, ({ from }) => ({ to: from, value: '0x0', gas: plainTransferGas })),
    )
  }

  /** Has the nodes forget the transaction. Its sender could send it again, and so could anybody. */
  drop(address: string): Promise<Sent> {
    return this.#inTurn(async () => {
      const { hash, from } = await this.#waiting(address)
      await this.#chain.call('anvil_dropTransaction', [hash])
      return { txHash: hash.toLowerCase(), from }
    })
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(run)
    this.#turn = done.catch(() => undefined)
    return done
  }

  async #pay({ accept, amount, way = 'transfer', hold = false }: Paying): Promise<Sent> {
    const { token, address: to } = accept
    const signer = hold ? await this.#idleHolder() : this.#signerOf(way)
    const payer = hold ? signer : this.address
    await this.#mustHold(payer, token, amount)
    const { token: ofToken, coin } = ways[way]
    const draft =
      token === null ? coin?.({ payer, to, amount }) : ofToken?.(token, { payer, to, amount })
    if (draft === undefined || (hold && ways[way].signer !== 'payer')) {
      throw new Failure('unsupported_asset', 'The sandbox cannot send this asset that way.')
    }
    return hold ? this.#sendHeld(signer, draft) : this.#send(signer, draft)
  }

  async #mustHold(payer: string, token: string | null, amount: bigint): Promise<void> {
    const { call } = this.#chain
    const held =
      token === null
        ? BigInt(await textOf(call('eth_getBalance', [payer, 'latest'])))
        : await balanceOf(call, token, payer)
    if (held >= amount) return
    throw new Failure('invalid_amount', 'The sandbox wallet does not hold that much.')
  }

  #signerOf(way: PayWay): string {
    const { payer, spender, holders } = this.#cast
    return { payer, spender, stranger: holders[0] ?? spender }[ways[way].signer]
  }

  async #send(from: string, draft: Draft | object): Promise<Sent> {
    const sent = await textOf(this.#chain.call('eth_sendTransaction', [{ from, ...draft }]))
    const txHash = sent.toLowerCase()
    this.#sent.push(txHash)
    if (this.#sent.length > sentMax) this.#sent.shift()
    return { txHash, from }
  }

  /**
   * A node takes no transaction that asks for more gas than a block has, and one that it has taken
   * waits when blocks are smaller: so they are larger for the moment in which it is sent.
   */
  async #sendHeld(from: string, draft: Draft): Promise<Sent> {
    const { call } = this.#chain
    const block = await call('eth_getBlockByNumber', ['latest', false])
    if (typeof block !== 'object' || block === null || !('gasLimit' in block)) {
      throw new Failure('chain_unavailable', 'The development chain has no block.')
    }
    const room = BigInt(String(block.gasLimit))
    const gas = `0x${(room + 1n).toString(16)}`
    await call('evm_setBlockGasLimit', [`0x${(room * roomier).toString(16)}`])
    try {
      return await this.#send(from, { ...draft, gas })
    } finally {
      await call('evm_setBlockGasLimit', [`0x${room.toString(16)}`])
    }
  }

  /** What waits keeps its sender's later transactions waiting: so each has a sender of its own. */
  async #idleHolder(): Promise<string> {
    const busy = new Set((await poolOf(this.#chain.call)).map(({ from }) => from.toLowerCase()))
    const idle = this.#cast.holders.find((account) => !busy.has(account))
    if (idle !== undefined) return idle
    const said = `All ${this.#cast.holders.length} accounts that can hold a payment hold one: speed one up, cancel it or drop it first.`
    throw new Failure('overloaded', said)
  }

  /** The last one sent of those that wait. */
  async #waiting(address: string): Promise<Pooled> {
    const paying = (await poolOf(this.#chain.call)).filter((pooled) => names(pooled, address))
    const age = ({ hash }: Pooled): number => this.#sent.indexOf(hash.toLowerCase())
    const last = paying.toSorted((a, b) => age(a) - age(b)).at(-1)
    if (last !== undefined) return last
    throw new Failure('not_found', 'No transaction to this payment waits to be mined.')
  }

  async #replace(address: string, rewrite: (pooled: Pooled) => object): Promise<Replaced> {
    const pooled = await this.#waiting(address)
    const { from, nonce, hash } = pooled
    const sent = await this.#send(from, { ...rewrite(pooled), nonce, ...outbid(pooled) })
    return { ...sent, replacedTxHash: hash.toLowerCase() }
  }
}
