import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { Directory } from '../../ports/access.ts'
import type { Clock } from '../../ports/clock.ts'

export interface DepositAddressesOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly directory: Pick<Directory, 'merchant' | 'takeDepositIndexes'>
  /** The child address of an extended public key, as the kind of that chain stores it. */
  readonly deriveAddress: (xpub: string, index: number, chain: string) => string
}

export interface DepositAddress {
  /** Chains of one kind share one. */
  readonly addressOn: (chain: string) => string
  readonly depositIndex: number
}

/** Indexes that are taken at once: one commit for so many payments. What is left at the end is lost. */
const blockSize = 64
/** With so few left the next block is taken already, so that no request has to wait for it. */
const refillAt = 24
/** So long is a merchant's key not read again. Nothing changes it but a hand in the database. */
const merchantKeptMs = 60_000
/** Of more merchants than this what is known is forgotten, and read again. */
const merchantsMax = 10_000

interface Known {
  readonly xpub: string
  readonly until: Instant
}

/** From `next` on, up to but not including `end`. */
interface Range {
  next: number
  readonly end: number
}

/** Indexes of one key that are this process's alone. */
interface Stock {
  readonly ranges: Range[]
  refill: Promise<void> | null
}

/**
 * An address of its own for each payment. Indexes are counted per key: merchants that have registered
 * the same one share its addresses, and never an address.
 */
export class DepositAddresses {
  readonly #options: DepositAddressesOptions
  readonly #merchants = new Map<string, Known>()
  readonly #stocks = new Map<string, Stock>()

  constructor(options: DepositAddressesOptions) {
    this.#options = options
  }

  /** Throws `merchant_cannot_receive` when the merchant has no key, or none of its addresses is left. */
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
      // When it fails it is taken again, and waited for, by the request that finds nothing left.
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
    // A stock that is dropped is lost, as at the end of a process; requests that hold it use it up.
    if (this.#stocks.size >= merchantsMax) this.#stocks.clear()
    const stock: Stock = { ranges: [], refill: null }
    this.#stocks.set(xpub, stock)
    return stock
  }
}

const leftIn = ({ ranges }: Stock): number =>
  ranges.reduce((sum, { next, end }) => sum + end - next, 0)
