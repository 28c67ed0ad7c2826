import type { BlockRef } from '@settlewire/core/payment/observation'
import { digestLength, digestOf } from './pebble-kind.ts'

/** The transfer of one transaction. */
export interface PebbleMove {
  readonly digest: string
  readonly from: string
  readonly to: string
  readonly amount: bigint
}

/** A block that never leaves the chain. */
export interface PebbleBlock extends BlockRef {
  readonly moves: readonly PebbleMove[]
}

const blockMs = 1_000

/** The chain, with one node that can lose its connections. */
export class PebbleChain {
  readonly #blocks: PebbleBlock[] = []
  #waiting: PebbleMove[] = []
  #payments = 0
  /** Increases with every cut: a connection with an earlier number is dead. */
  life = 0

  constructor() {
    this.#add()
  }

  get genesisHash(): string {
    return this.block(0).hash
  }

  get height(): number {
    return this.#blocks.length - 1
  }

  block(number: number): PebbleBlock {
    const block = this.#blocks[number]
    if (block === undefined) throw new Error(`there is no block ${number} yet`)
    return block
  }

  /** The block that holds a transaction, or null. */
  find(digest: string): PebbleBlock | null {
    return this.#blocks.find(({ moves }) => moves.some((move) => move.digest === digest)) ?? null
  }

  /** Sends a transfer, which the next block will contain. */
  pay(to: string, amount: bigint): string {
    const digest = digestOf(`${to} ${amount} ${this.#payments++}`, digestLength)
    this.#waiting.push({ digest, from: 'pb1', to, amount })
    return digest
  }

  mine(blocks: number): void {
    for (let block = 0; block < blocks; block++) this.#add()
  }

  cut(): void {
    this.life++
  }

  #add(): void {
    const number = this.#blocks.length
    const parent = this.#blocks.at(-1)
    const minedAt = (parent?.minedAt ?? Date.now() - blockMs) + blockMs
    const hash = digestOf(`${parent?.hash ?? ''} ${number} ${minedAt}`, digestLength)
    const moves = this.#waiting
    this.#waiting = []
    this.#blocks.push({ number, hash, parentHash: parent?.hash ?? '', minedAt, moves })
  }
}
