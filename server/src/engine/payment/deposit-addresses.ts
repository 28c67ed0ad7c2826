import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { Directory } from '../../ports/access.ts'
import type { Clock } from '../../ports/clock.ts'

export interface DepositAddressesOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly directory: Pick<Directory, 'merchant' | 'takeDepositIndexes'>
  /**
   * The address at an index of an extended public key, in the form that the chain's kind stores.
   */
  readonly deriveAddress: (xpub: string, index: number, chain: string) => string
}

export interface DepositAddress {
  /** The address on a chain. Chains of one kind share one address. */
  readonly addressOn: (chain: string) => string
  readonly depositIndex: number
}

/** How many indexes are taken with one commit. Those unused when the process ends are lost. */
const blockSize = 64
/** At this many left the next block is taken ahead of time, so that no request waits for it. */
const refillAt = 24
/** How long a merchant's xpub is cached. It changes only if someone edits the database. */
const merchantKeptMs = 60_000
/** How many merchants are cached. Beyond that the cache is cleared and filled again. */
const merchantsMax = 10_000

interface KnownXpub {
  readonly xpub: string
  readonly until: Instant
}

/** Indexes from `next` up to, but not including, `end`. */
interface Range {
  next: number
  readonly end: number
}

/** Indexes of one xpub that belong to this process alone. */
interface Stock {
  readonly ranges: Range[]
  refill: Promise<void> | null
}

/**
 * Gives each payment an address of its own. Indexes are counted per xpub: merchants with the same
 * xpub use one sequence of addresses, but never the same address.
 */
export class DepositAddresses {
  readonly #options: DepositAddressesOptions
  readonly #merchants = new Map<string, KnownXpub>()
  readonly #stocks = new Map<string, Stock>()

  constructor(options: DepositAddressesOptions) {
    this.#options = options
  }

  /**
   * Throws `merchant_cannot_receive` when the merchant is unknown or has no xpub, or no address of
   * it is left.
   */
  async take(merchantId: string): Promise<DepositAddress> {
    const xpub = await this.#xpubOf(merchantId)
    const depositIndex = await this.#nextIndex(xpub)
    const { deriveAddress } = this.#options
    return { addressOn: (chain) => deriveAddress(xpub, depositIndex, chain), depositIndex }
  }

  async #xpubOf(merchantId: string): Promise<string> {
    const { clock, directory } = this.#options
    const known = this.#merchants.get(merchantId)
    if (known !== undefined && known.until > clock.now()) return known.xpub
    const xpub = (await directory.merchant(merchantId))?.xpub ?? null
    if (xpub === null) throw new Failure('merchant_cannot_receive')
    if (this.#merchants.size >= merchantsMax) this.#merchants.clear()
    this.#merchants.set(merchantId, { xpub, until: clock.now() + merchantKeptMs })
    return xpub
  }

  async #nextIndex(xpub: string): Promise<number> {
    const stock = this.#stockOf(xpub)
    while (stock.ranges.length === 0) await this.#refill(xpub, stock)
    const [range] = stock.ranges
    assert(range !== undefined, 'a stock that is not empty has a first range')
    const index = range.next++
    if (range.next >= range.end) stock.ranges.shift()
    if (leftIn(stock) <= refillAt) {
      // If this fails, the request that finds no index left takes a block and waits for it.
      this.#refill(xpub, stock).catch(() => undefined)
    }
    return index
  }

  #refill(xpub: string, stock: Stock): Promise<void> {
    stock.refill ??= this.#options.directory
      .takeDepositIndexes(xpub, blockSize)
      .then(({ first, count }) => void stock.ranges.push({ next: first, end: first + count }))
      .finally(() => {
        stock.refill = null
      })
    return stock.refill
  }

  #stockOf(xpub: string): Stock {
    const known = this.#stocks.get(xpub)
    if (known !== undefined) return known
    // Dropped stocks are lost, as when a process ends; requests that hold one still use it up.
    if (this.#stocks.size >= merchantsMax) this.#stocks.clear()
    const stock: Stock = { ranges: [], refill: null }
    this.#stocks.set(xpub, stock)
    return stock
  }
}

const leftIn = ({ ranges }: Stock): number =>
  ranges.reduce((sum, { next, end }) => sum + end - next, 0)
