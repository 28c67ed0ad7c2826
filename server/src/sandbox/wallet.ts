import { Failure } from '@settlewire/core/errors'
import type { Acceptance } from '@settlewire/core/payment/payment'
import type { LocalChain } from './local-chain.ts'
import { type PayWay, type TransactionDraft, ways } from './pay-ways.ts'
import { names, outbid, type Pooled, poolOf } from './pool.ts'
import type { Cast } from './prepare-chain.ts'
import { textOf } from './rpc.ts'
import { balanceOf } from './token.ts'

/** A payment to send. */
export interface Paying {
  readonly accept: Pick<Acceptance, 'chain' | 'token' | 'address'>
  /** In the asset's smallest unit. */
  readonly amount: bigint
  readonly way?: PayWay
  /** The transaction stays pending until it is sped up. */
  readonly hold?: boolean
}

/** A transaction that the node has accepted; it is not mined yet. */
export interface SentTransaction {
  readonly txHash: string
  /** The account that signed it. */
  readonly from: string
}

/** A transaction that replaced another one. */
export interface Replaced extends SentTransaction {
  readonly replacedTxHash: string
}

/**
 * Factor for the block gas limit while a held transaction is sent: it never fits a normal block.
 */
const roomier = 4n
const plainTransferGas = '0x5208'
/** For how many of its own transactions the wallet remembers the order. */
const sentMax = 1_000

/**
 * The payer of the sandbox: unlocked accounts of the development chain. It sends real transactions,
 * which the server only detects on the chain.
 */
export class SandboxWallet {
  readonly address: string
  readonly #chain: Pick<LocalChain, 'call'>
  readonly #cast: Cast
  /** Hashes of sent transactions, oldest first. */
  readonly #sent: string[] = []
  /** Sends one after the other: two in parallel could get the same nonce. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(chain: Pick<LocalChain, 'call'>, cast: Cast) {
    this.#chain = chain
    this.#cast = cast
    this.address = cast.payer
  }

  /**
   * Rejects with `invalid_amount` if the wallet has too little, `unsupported_asset` if the asset
   * cannot be sent that way, `overloaded` if no account is free for another held payment.
   */
  pay(paying: Paying): Promise<SentTransaction> {
    return this.#inTurn(() => this.#pay(paying))
  }

  /**
   * Sends the last pending transaction to this address again with an eighth more fee, which
   * replaces it. Rejects with `not_found` without a pending transaction, like `cancel` and `drop`.
   */
  speedUp(address: string): Promise<Replaced> {
    return this.#inTurn(() =>
      this.#replace(address, ({ to, input, value }) => ({ to, input, value })),
    )
  }

  /** Replaces the transaction by one to the sender itself: the money stays there. */
  cancel(address: string): Promise<Replaced> {
    return this.#inTurn(() =>
      this.#replace(address, ({ from }) => ({ to: from, value: '0x0', gas: plainTransferGas })),
    )
  }

  /** Removes the transaction from the pool. Any client that knows it could send it again. */
  drop(address: string): Promise<SentTransaction> {
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

  async #pay({ accept, amount, way = 'transfer', hold = false }: Paying): Promise<SentTransaction> {
    const { token, address: to } = accept
    const signer = hold ? await this.#idleHolder() : this.#signerOf(way)
    const payer = hold ? signer : this.address
    await this.#mustHold(payer, token, amount)
    const { token: ofToken, coin } = ways[way]
    const draft =
      token === null ? coin?.({ payer, to, amount }) : ofToken?.(token, { payer, to, amount })
    if (draft === undefined || (hold && ways[way].signer !== 'payer')) {
      throw new Failure('unsupported_asset', 'The sandbox cannot send this asset in this way.')
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
    throw new Failure('invalid_amount', 'The sandbox wallet does not have that much.')
  }

  #signerOf(way: PayWay): string {
    const { payer, spender, holders } = this.#cast
    return { payer, spender, stranger: holders[0] ?? spender }[ways[way].signer]
  }

  async #send(from: string, draft: TransactionDraft | object): Promise<SentTransaction> {
    const sent = await textOf(this.#chain.call('eth_sendTransaction', [{ from, ...draft }]))
    const txHash = sent.toLowerCase()
    this.#sent.push(txHash)
    if (this.#sent.length > sentMax) this.#sent.shift()
    return { txHash, from }
  }

  /**
   * A node refuses a transaction with more gas than the block limit, but keeps a pending one when
   * the limit shrinks. So the limit is raised only while the transaction is sent.
   */
  async #sendHeld(from: string, draft: TransactionDraft): Promise<SentTransaction> {
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

  /**
   * A pending transaction blocks later ones of its sender, so each held payment has its own sender.
   */
  async #idleHolder(): Promise<string> {
    const busy = new Set((await poolOf(this.#chain.call)).map(({ from }) => from.toLowerCase()))
    const idle = this.#cast.holders.find((account) => !busy.has(account))
    if (idle !== undefined) return idle
    const words = `All ${this.#cast.holders.length} accounts for held payments have a pending one: speed one up, cancel it or drop it first.`
    throw new Failure('overloaded', words)
  }

  /** The last sent of all pending transactions to this address. */
  async #waiting(address: string): Promise<Pooled> {
    const paying = (await poolOf(this.#chain.call)).filter((pooled) => names(pooled, address))
    const age = ({ hash }: Pooled): number => this.#sent.indexOf(hash.toLowerCase())
    const last = paying.toSorted((a, b) => age(a) - age(b)).at(-1)
    if (last !== undefined) return last
    throw new Failure('not_found', 'This payment has no pending transaction.')
  }

  async #replace(address: string, rewrite: (pooled: Pooled) => object): Promise<Replaced> {
    const pooled = await this.#waiting(address)
    const { from, nonce, hash } = pooled
    const sent = await this.#send(from, { ...rewrite(pooled), nonce, ...outbid(pooled) })
    return { ...sent, replacedTxHash: hash.toLowerCase() }
  }
}
