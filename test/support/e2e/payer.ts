import type { PaymentIntent } from '@settlewire/core/wire/wire'
import type { SandboxFacts } from './server.ts'

const word = (value: bigint | string): string =>
  (typeof value === 'bigint' ? value.toString(16) : value.slice(2)).padStart(64, '0').toLowerCase()

/** A payer that uses plain JSON-RPC, without a library between it and the chain. */
export class Payer {
  readonly #facts: SandboxFacts

  constructor(facts: SandboxFacts) {
    this.#facts = facts
  }

  /** Sends the token from the unlocked account; resolves with the hash, before it is mined. */
  async send(intent: PaymentIntent, units: bigint): Promise<string> {
    const { payer, token } = this.#facts
    const accept = intent.accept.find(({ asset }) => asset === 'USDC')
    if (accept === undefined) throw new Error('the intent accepts no token')
    // All hashed fields but the nonce are given, so that the same transaction can be sent again.
    return this.rpc('eth_sendTransaction', [
      {
        ...{ from: payer, to: token.address, gas: '0x30000', gasPrice: '0x77359400' },
        data: `0xa9059cbb${word(accept.address)}${word(units)}`,
      },
    ])
  }

  mine(blocks = 1): Promise<unknown> {
    return this.rpc('anvil_mine', [`0x${blocks.toString(16)}`])
  }

  async rpc<T>(method: string, params: readonly unknown[]): Promise<T> {
    const response = await fetch(this.#facts.rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const { result, error } = await response.json()
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }
}
