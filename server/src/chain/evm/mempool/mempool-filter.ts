import type { Clock } from '../../../ports/clock.ts'
import type { Log } from '../../../ports/log.ts'
import type { Stop } from '../../../ports/stop.ts'
import type { PendingRules } from '../block/calldata.ts'
import type { RpcConnection } from '../node/connection.ts'

interface AddressFilterParts extends PendingRules {
  readonly socket: RpcConnection
  readonly clock: Clock
  readonly log: Log
}

/**
 * "A maximum of 1000 addresses can be added in the addresses filter for alchemy_pendingTransactions":
 * https://www.alchemy.com/docs/reference/alchemy-pendingtransactions
 */
const addressesMax = 1_000
/** New addresses get their own subscription; at this many, all are replaced by one. */
const subscriptionsMax = 8
/** A payer takes longer than this from seeing the address to sending the transaction. */
const refreshMs = 1_000

interface Subscription {
  readonly addresses: readonly string[]
  readonly stop: Stop
}

/**
 * Subscribes to pending transactions to our tokens and to the addresses that accept the native
 * coin, filtered by the provider. Within its cap the newest addresses come first; payments to the
 * others are seen in blocks. Follows the watch set: a new address is subscribed within a second, a
 * removed one is dropped when the whole filter is next replaced.
 */
export class AddressFilter {
  readonly #parts: AddressFilterParts
  readonly #take: (pending: unknown) => void
  #subscriptions: readonly Subscription[] = []
  #covered = new Set<string>()
  #hasLoggedFull = false
  #stopped = false
  #nextLook: Stop = () => undefined

  constructor(parts: AddressFilterParts, take: (pending: unknown) => void) {
    this.#parts = parts
    this.#take = take
  }

  /** Null when the node does not support this subscription. */
  async start(): Promise<Stop | null> {
    const first = this.#wanted()
    // A filter without an address would match every transaction.
    if (first.length > 0 && !(await this.#cover(first))) return null
    this.#lookLater()
    void this.#parts.socket.closed.then(() => this.#stop())
    return () => this.#stop()
  }

  /** The tokens, then as many of the newest addresses as fit. */
  #wanted(): string[] {
    const { tokens, watch, log } = this.#parts
    const room = Math.max(0, addressesMax - tokens.size)
    const newest: string[] = []
    let open = 0
    for (const address of watch.nativeAddresses()) newest[open++ % Math.max(1, room)] = address
    if (open > room && !this.#hasLoggedFull) {
      this.#hasLoggedFull = true
      log.warn(
        { count: open },
        'more addresses than the filter allows; payments to the oldest are seen only in blocks',
      )
    }
    return [...tokens, ...(room === 0 ? [] : newest)].slice(0, addressesMax)
  }

  #lookLater(): void {
    this.#nextLook = this.#parts.clock.after(refreshMs, () => {
      // A refused subscription is tried again at the next refresh.
      void this.#refresh()
        .catch(() => undefined)
        .finally(() => {
          if (!this.#stopped) this.#lookLater()
        })
    })
  }

  async #refresh(): Promise<void> {
    const wanted = this.#wanted()
    const added = wanted.filter((address) => !this.#covered.has(address))
    if (added.length > 0) {
      const fits = this.#covered.size + added.length <= addressesMax
      if (fits && this.#subscriptions.length < subscriptionsMax) await this.#cover(added)
      else await this.#replace(wanted)
    }
  }

  async #cover(addresses: readonly string[]): Promise<boolean> {
    const filter = { toAddress: addresses, hashesOnly: false }
    const stop = await this.#parts.socket.subscribe(
      ['alchemy_pendingTransactions', filter],
      this.#take,
    )
    if (stop === null) return false
    this.#subscriptions = [...this.#subscriptions, { addresses, stop }]
    for (const address of addresses) this.#covered.add(address)
    if (this.#stopped) this.#stop()
    return true
  }

  /**
   * Subscribes the new filter before it stops the old ones: overlapping matches are reported twice,
   * but none is missed.
   */
  async #replace(addresses: readonly string[]): Promise<void> {
    const before = this.#subscriptions
    if (!(await this.#cover(addresses))) return
    for (const { stop } of before) stop()
    this.#subscriptions = this.#subscriptions.filter((one) => !before.includes(one))
    this.#covered = new Set(this.#subscriptions.flatMap((one) => one.addresses))
  }

  #stop(): void {
    this.#stopped = true
    this.#nextLook()
    for (const { stop } of this.#subscriptions) stop()
    this.#subscriptions = []
  }
}
