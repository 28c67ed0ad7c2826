import type { Sighting } from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Log } from '../../../ports/log.ts'
import type { Stop } from '../../../ports/stop.ts'
import type { PendingRules } from '../block/calldata.ts'
import type { RpcConnection } from '../node/connection.ts'
import type { FollowerLimits } from '../node/limits.ts'
import type { EvmNode } from '../node/node.ts'
import { StandingSubscription } from '../node/standing.ts'
import { readBacklog } from './mempool-backlog.ts'
import { AddressFilter } from './mempool-filter.ts'
import { type Preconfirmations, subscribePreconfirmations } from './preconfirmation.ts'
import { sightingOf } from './sighting.ts'
import { isIrrelevant } from './skim.ts'

/**
 * How a node reports pending transactions: as full objects, as hashes to look up, whichever it
 * supports (`auto`), only those to given addresses (`alchemy`), or not at all.
 */
export type PendingMode = 'auto' | 'full' | 'hashes' | 'alchemy' | 'none'

export interface MempoolParts extends PendingRules {
  readonly socket: RpcConnection
  readonly node: EvmNode
  readonly clock: Clock
  readonly log: Log
  readonly limits: FollowerLimits
  readonly mode: PendingMode
  readonly preconfirmations: Preconfirmations
  /** Must not throw. */
  readonly report: (sighting: Sighting) => void
  /** Called when a subscription begins to be refused, and when it is granted after that. */
  readonly changed: () => void
}

/** Receives each pending transaction, or its hash. */
type TakePending = (pending: unknown) => void
type SubscribeWay = (parts: MempoolParts, take: TakePending) => Promise<Stop | null>

const whole: SubscribeWay = ({ socket, tokens, watch }, take) =>
  socket.subscribe(['newPendingTransactions', true], take, (text) =>
    isIrrelevant(text, { tokens, watch }),
  )
const hashes: SubscribeWay = ({ socket }, take) =>
  socket.subscribe(['newPendingTransactions'], take)
const filtered: SubscribeWay = (parts, take) => new AddressFilter(parts, take).start()

/** The subscriptions of each mode, best first: the first one that the node grants is used. */
const ways: Readonly<Record<PendingMode, readonly SubscribeWay[]>> = {
  auto: [whole, hashes],
  full: [whole],
  hashes: [hashes],
  alchemy: [filtered],
  none: [],
}

const secondLookMs = 150

/**
 * Subscribes to one connection's pending transactions, and to a sequencer's preconfirmations where
 * it offers them. Best effort: a transaction missed here is found in its block. A node without a
 * public mempool is not faulty.
 */
export class NodeMempool {
  readonly #parts: MempoolParts
  readonly #kept: readonly StandingSubscription[]

  constructor(parts: MempoolParts) {
    this.#parts = parts
    const { clock, limits, socket, changed, mode, preconfirmations } = parts
    const keep = (subscribe: () => Promise<Stop | null>): StandingSubscription =>
      new StandingSubscription({ clock, limits, closed: socket.closed, changed, subscribe })
    this.#kept = [
      ...(mode === 'none' ? [] : [keep(() => this.#pending())]),
      ...(preconfirmations === 'none' ? [] : [keep(() => this.#preconfirmed())]),
    ]
  }

  /** The node refuses a subscription for now: what it would report is found in blocks. */
  get isRefused(): boolean {
    return this.#kept.some(({ isRefused }) => isRefused)
  }

  /** Subscribes, again if it already was. Reports already pending transactions a little later. */
  async subscribe(): Promise<void> {
    await Promise.all(this.#kept.map((one) => one.begin()))
  }

  async #pending(): Promise<Stop | null> {
    const { mode, log, node, clock, limits } = this.#parts
    try {
      for (const way of ways[mode]) {
        const stop = await way(this.#parts, (pending) => this.#take(pending))
        if (stop !== null) return stop
      }
      log.info({}, 'the node reports no pending transactions; payments are seen only in blocks')
      return null
    } finally {
      // Not awaited: blocks are read meanwhile. It starts after the subscription, so no transaction
      // falls between the two.
      void readBacklog({ node, clock, limits }, (transaction) => this.#match(transaction))
    }
  }

  async #preconfirmed(): Promise<Stop | null> {
    const stop = await subscribePreconfirmations(this.#parts)
    if (stop === null) {
      this.#parts.log.info({}, 'the node reports no preconfirmations')
    }
    return stop
  }

  /** Some nodes send hashes when asked for full objects, so the type of the message decides. */
  #take(pending: unknown): void {
    if (typeof pending === 'string') void this.#lookUp(pending)
    else this.#match(pending)
  }

  /** Some nodes announce a hash a moment before they can return the transaction. Never rejects. */
  async #lookUp(txHash: string): Promise<void> {
    const { node, clock } = this.#parts
    try {
      const shown = await node.transaction(txHash)
      if (shown === null) await clock.sleep(secondLookMs)
      this.#match(shown ?? (await node.transaction(txHash)))
    } catch {
      // This look-up is optional: the line drops the oldest of too many, and a failing node is
      // noticed elsewhere.
    }
  }

  #match(transaction: unknown): void {
    const sighting = sightingOf(transaction, this.#parts)
    if (sighting !== null) this.#parts.report(sighting)
  }
}
