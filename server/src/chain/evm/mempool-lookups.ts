import type { Clock, Log } from '../../ports.ts'
import type { RpcConnection } from './connection.ts'
import type { Limits } from './limits.ts'
import type { EvmNode } from './node.ts'

interface Parts {
  readonly socket: RpcConnection
  readonly node: EvmNode
  readonly clock: Clock
  readonly log: Log
  readonly limits: Limits
}

const secondLookMs = 150

/** Turns pending hashes into transactions, a bounded number at a time. */
export class LookUps {
  readonly #parts: Parts
  readonly #found: (transaction: unknown) => void
  readonly #waiting: string[] = []
  #lookingUp = 0
  #left = 0

  constructor(parts: Parts, found: (transaction: unknown) => void) {
    this.#parts = parts
    this.#found = found
  }

  add(txHash: string): void {
    const { limits, log } = this.#parts
    if (this.#lookingUp < limits.lookupsAtOnce) {
      void this.#lookUp(txHash)
      return
    }
    this.#waiting.push(txHash)
    if (this.#waiting.length <= limits.lookupsWaitingMax) return
    // The oldest is the likeliest to be in a block already.
    this.#waiting.shift()
    if (this.#left++ % 10_000 === 0) {
      log.warn({ count: this.#left }, 'more pending hashes than can be looked up; blocks will tell')
    }
  }

  /** Never rejects. */
  async #lookUp(first: string): Promise<void> {
    this.#lookingUp++
    for (let txHash: string | undefined = first; txHash !== undefined; ) {
      try {
        this.#found(await this.#ask(txHash))
      } catch {
        // A look-up is a courtesy; a node in trouble shows elsewhere.
      }
      txHash = this.#parts.socket.open ? this.#waiting.shift() : undefined
    }
    this.#lookingUp--
  }

  /** Some nodes announce a hash a moment before they can show the transaction. */
  async #ask(txHash: string): Promise<unknown> {
    const { node, clock } = this.#parts
    const shown = await node.transaction(txHash)
    if (shown !== null) return shown
    await clock.sleep(secondLookMs)
    return node.transaction(txHash)
  }
}
