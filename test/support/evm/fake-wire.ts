/** The JSON-RPC encoding of a fake node. */
import type { FakeBlock, FakeTx } from './fake-chain.ts'

/** An error answer instead of a result. */
export class Refused {
  readonly code: number
  readonly message: string
  constructor(code: number, message: string) {
    this.code = code
    this.message = message
  }
}

/** Raw text that a node sends instead of an answer. */
export class Raw {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export const transactionJson = (tx: FakeTx, block: FakeBlock | null) => ({
  hash: tx.hash,
  type: '0x2',
  from: tx.from,
  nonce: quantity(tx.nonce),
  maxFeePerGas: quantity(tx.maxFeePerGas),
  to: tx.to,
  value: quantity(tx.value),
  input: tx.input,
  blockHash: block?.hash ?? null,
  blockNumber: block === null ? null : quantity(block.number),
})

const quantity = (count: number | bigint): string => `0x${count.toString(16)}`
