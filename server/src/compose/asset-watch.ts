import type { ChainAnswer } from '../chain/kind.ts'
import type { ChainConfig } from '../chain-config.ts'
import { type Asset, assetName } from '../engine/payment/asset.ts'
import { type AssetBook, type AssetState, reasonOf } from '../engine/payment/asset-book.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { adapterOf, type ChainAdapter } from './kinds.ts'

const recheckMs = 30_000
/**
 * How long the start waits for the chains to answer. After that the checks go on in the background.
 */
const startWithinMs = 5_000

export interface AssetWatchOptions {
  /** The chains whose assets are checked. */
  readonly chains: readonly ChainConfig[]
  readonly book: AssetBook
  readonly clock: Clock
  readonly log: Log
  /** Called once for each asset, and then whenever its state changes. */
  readonly tell: (asset: string, state: AssetState['kind']) => void
  readonly adapters: readonly ChainAdapter[]
}

/**
 * Checks the assets of each chain against the configuration, and again every 30 s until all are
 * confirmed. A confirmed asset is not checked again, because the decimals of a contract do not
 * change.
 */
export class AssetWatch {
  readonly #options: AssetWatchOptions
  readonly #closing = new AbortController()
  #running: Promise<void> | null = null

  constructor(options: AssetWatchOptions) {
    this.#options = options
    for (const asset of options.book.all) {
      options.tell(assetName(asset), options.book.stateOf(asset).kind)
    }
  }

  /** Resolves when every chain was checked once, or after a few seconds. Never rejects. */
  async start(): Promise<void> {
    const first = this.#round()
    this.#running = first.then(() => this.#repeat())
    await Promise.race([first, this.#options.clock.sleep(startWithinMs, this.#closing.signal)])
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #repeat(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted && this.#open().length > 0) {
      await clock.sleep(recheckMs, signal)
      if (!signal.aborted) await this.#round()
    }
  }

  /** Chains with an asset that is not offered. */
  #open(): readonly ChainConfig[] {
    return this.#options.chains.filter((chain) =>
      this.#assetsOf(chain).some((asset) => this.#options.book.stateOf(asset).kind !== 'active'),
    )
  }

  #assetsOf({ name }: ChainConfig): readonly Asset[] {
    return this.#options.book.all.filter(({ chain }) => chain === name)
  }

  async #round(): Promise<void> {
    const { clock, adapters } = this.#options
    const { signal } = this.#closing
    await Promise.all(
      this.#open().map(async (chain) => {
        const tokens = this.#assetsOf(chain).flatMap(({ token, decimals }) =>
          token === null ? [] : [{ address: token, decimals }],
        )
        const { checkAssets } = adapterOf(chain, adapters)
        const answer = await checkAssets(chain, { tokens, clock, signal })
        if (!signal.aborted) this.#take(chain, answer)
      }),
    )
  }

  #take(chain: ChainConfig, answer: ChainAnswer): void {
    const { book, log, tell } = this.#options
    if (answer.kind === 'unreachable') {
      log.warn(
        { chain: chain.name },
        'no provider of the chain answers: its assets are not offered yet',
      )
      return
    }
    for (const asset of this.#assetsOf(chain)) {
      const state = stateOf(asset, chain, answer)
      if (!book.set(asset, state)) continue
      const name = assetName(asset)
      tell(name, state.kind)
      if (state.kind === 'active') log.info({ asset: name }, 'the chain confirms the asset')
      else log.error({ asset: name, why: reasonOf(state) }, 'the asset is disabled')
    }
  }
}

function stateOf(
  asset: Asset,
  chain: ChainConfig,
  answer: Exclude<ChainAnswer, { kind: 'unreachable' }>,
): AssetState {
  if (answer.kind === 'other_chain') {
    const reason = `The providers are on chain ${answer.chainId}, not on ${chain.chainId}.`
    return { kind: 'disabled', reason }
  }
  const reason = answer.contradictions.get(asset.token ?? '')
  return reason === undefined ? { kind: 'active' } : { kind: 'disabled', reason }
}
