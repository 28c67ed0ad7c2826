import type { EvmChain } from '../evm-chain.ts'
import type { Fleet } from './fleet.ts'
import type { Provider } from './provider.ts'

interface AgreementParts {
  readonly chain: Pick<EvmChain, 'toleratedDepth'>
  readonly fleet: Fleet
  /** Called when providers begin or stop to disagree. */
  readonly changed: () => void
  /** Called for both providers that disagree: either may be on a chain that cannot be ours. */
  readonly suspect: (provider: Provider) => Promise<void>
}

type Pair = readonly [Provider, Provider]

/**
 * Checks whether providers name different blocks at one height, deeper than a normal short reorg.
 * One comparison per pair is enough: blocks are chained, so providers that differ further down
 * differ here too.
 */
export class Agreement {
  readonly #parts: AgreementParts
  #apart = new Set<string>()
  #running: Promise<void> | null = null
  /** Whether a head has moved since the running comparison began. */
  #mustRepeat = false

  constructor(parts: AgreementParts) {
    this.#parts = parts
  }

  get isBroken(): boolean {
    return this.#apart.size > 0
  }

  /** Called when a head moved. One comparison runs at a time; calls during it cause one more. */
  check(): void {
    this.#mustRepeat = true
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    while (this.#mustRepeat) {
      this.#mustRepeat = false
      const { fleet, changed, suspect } = this.#parts
      const before = [...this.#apart].join()
      const pairs = pairsOf(fleet.up)
      const apart = new Set<string>()
      const doubtful = new Set<Provider>()
      for (const pair of pairs) {
        const key = pairKey(pair)
        const agree = (await this.#agree(pair)) ?? !this.#apart.has(key)
        if (agree) continue
        apart.add(key)
        for (const provider of pair) {
          doubtful.add(provider)
          if (!this.#apart.has(key)) provider.score.disagreements++
        }
      }
      this.#apart = apart
      for (const provider of doubtful) await suspect(provider)
      if ([...apart].join() !== before) changed()
    }
  }

  /** Null when it cannot be determined now. */
  async #agree([a, b]: Pair): Promise<boolean | null> {
    const lower = Math.min(a.head?.ref.number ?? 0, b.head?.ref.number ?? 0)
    const number = lower - this.#parts.chain.toleratedDepth - 1
    if (number < 0) return true
    for (const fresh of [false, true]) {
      const [mine, theirs] = await Promise.all([a.hashAt(number, fresh), b.hashAt(number, fresh)])
      if (mine === null || theirs === null) return null
      if (mine === theirs) return true
      // The known hashes may be out of date on one side, so both providers are asked again at once.
    }
    return false
  }
}

const pairsOf = (providers: readonly Provider[]): Pair[] =>
  providers.flatMap((a, at) => providers.slice(at + 1).map((b): Pair => [a, b]))

const pairKey = ([a, b]: Pair): string => `${a.name} ${b.name}`
