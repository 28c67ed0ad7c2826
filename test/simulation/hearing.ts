/** What a node answered about a transaction in a block: it shows it there, or lacks it there. */
export interface Statement {
  readonly chain: string
  readonly provider: string
  readonly blockHash: string
  readonly txHash: string
  readonly denies: boolean
}

export interface HearingParts {
  readonly chain: string
  readonly provider: string
  readonly said: (statement: Statement) => void
}

/**
 * Finds the statements in the answers that arrive over one connection. A denial is two answers: no
 * receipt for the transaction, and then a block, asked for afterwards, that does not list it.
 */
export class Hearing {
  readonly #parts: HearingParts
  /** Transactions whose latest receipt was missing. */
  readonly #missing = new Set<string>()

  constructor(parts: HearingParts) {
    this.#parts = parts
  }

  /** Called with each question when it is sent; the result must be called with its answer. */
  asked(method: string, [first]: readonly unknown[]): (answer: unknown) => void {
    const hash = String(first)
    if (method === 'eth_getTransactionReceipt') return (answer) => this.#receipt(hash, answer)
    if (method !== 'eth_getBlockByHash') return () => undefined
    const missing = [...this.#missing]
    return (answer) => this.#block(hash, missing, answer)
  }

  #receipt(txHash: string, answer: unknown): void {
    if (answer === null) this.#missing.add(txHash)
    const blockHash = fieldOf(answer, 'blockHash')
    if (typeof blockHash !== 'string') return
    this.#missing.delete(txHash)
    this.#say({ blockHash, txHash, denies: false })
  }

  #block(blockHash: string, missing: readonly string[], answer: unknown): void {
    const listed = fieldOf(answer, 'transactions')
    if (!Array.isArray(listed) || fieldOf(answer, 'hash') !== blockHash) return
    const hashes = new Set(listed.map((one) => (typeof one === 'string' ? one : one?.hash)))
    for (const txHash of missing) {
      if (!hashes.has(txHash)) this.#say({ blockHash, txHash, denies: true })
    }
  }

  #say(said: Pick<Statement, 'blockHash' | 'txHash' | 'denies'>): void {
    const { chain, provider, said: tell } = this.#parts
    tell({ chain, provider, ...said })
  }
}

const fieldOf = (answer: unknown, name: string): unknown =>
  typeof answer === 'object' && answer !== null ? Reflect.get(answer, name) : undefined
