/** What nodes have truly said of transactions, whoever asked: what a process may know at most. */
export class Testimony {
  readonly #shown = new Map<string, Set<string>>()
  readonly #withheld = new Map<string, number>()

  /** A node has shown it in this block, by a log or a receipt. */
  showed(provider: string, blockHash: string, txHash: string): void {
    const key = `${blockHash} ${txHash}`
    const known = this.#shown.get(key)
    if (known === undefined) this.#shown.set(key, new Set([provider]))
    else known.add(provider)
  }

  /** A node said that it has no receipt that it has. */
  withheld(txHash: string): void {
    this.#withheld.set(txHash, (this.#withheld.get(txHash) ?? 0) + 1)
  }

  /** How many nodes have shown it. */
  showers(blockHash: string, txHash: string): number {
    return this.#shown.get(`${blockHash} ${txHash}`)?.size ?? 0
  }

  /** Whether its receipt was withheld so often that its block may be passed without it, for a while. */
  isDoubtful(txHash: string): boolean {
    return (this.#withheld.get(txHash) ?? 0) >= readsBeforePassing
  }
}

/** As often as a block is read anew for a receipt that is not shown. */
const readsBeforePassing = 3
