/** What nodes have shown of transactions, to any process: the most that a process may know. */
export class Testimony {
  readonly #shown = new Map<string, Set<string>>()
  readonly #withheld = new Map<string, number>()

  /** A node has shown the transaction in this block, by a log or a receipt. */
  showed(provider: string, blockHash: string, txHash: string): void {
    const key = `${blockHash} ${txHash}`
    const known = this.#shown.get(key)
    if (known === undefined) this.#shown.set(key, new Set([provider]))
    else known.add(provider)
  }

  /** A node answered that it lacks a receipt which it has. */
  withheld(txHash: string): void {
    this.#withheld.set(txHash, (this.#withheld.get(txHash) ?? 0) + 1)
  }

  /** The number of nodes that have shown the transaction in this block. */
  showers(blockHash: string, txHash: string): number {
    return this.#shown.get(`${blockHash} ${txHash}`)?.size ?? 0
  }

  /** Whether its receipt was withheld so often that its block may be passed without it. */
  isDoubtful(txHash: string): boolean {
    return (this.#withheld.get(txHash) ?? 0) >= readsBeforePassing
  }
}

/** How often a block is read again because of a missing receipt. */
const readsBeforePassing = 3
