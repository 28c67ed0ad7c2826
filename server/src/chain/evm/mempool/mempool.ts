import type { Sighting } from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Log } from '../../../ports/log.ts'
import type { Stop } from '../../../ports/stop.ts'
import type { PendingRules } from '../block/calldata.ts'
import type { RpcConnection } from '../node/connection.ts'
import type { Limits } from '../node/limits.ts'
import type { EvmNode } from '../node/node.ts'
import { Standing } from '../node/standing.ts'
import { readBacklog } from './mempool-backlog.ts'
import { AddressFilter } from './mempool-filter.ts'
import { hearPreconfirmations, type Preconfirmations } from './preconfirmation.ts'
import { sightingOf } from './sighting.ts'
import { isForNobody } from './skim.ts'

/**
 * How a node shows pending transactions: as whole objects, as hashes to be looked up, as the node
 * can (`auto`), only those to the addresses named (`alchemy`), or not at all.
 */
export type PendingMode = 'auto' | 'full' | 'hashes' | 'alchemy' | 'none'

export interface MempoolParts extends PendingRules {
  readonly socket: RpcConnection
  readonly node: EvmNode
  readonly clock: Clock
  readonly log: Log
  readonly limits: Limits
  readonly mode: PendingMode
  readonly preconfirmations: Preconfirmations
  /** Must not throw. */
  readonly tell: (sighting: Sighting) => void
  /** A subscription is refused, or granted, otherwise than before. */
  readonly changed: () => void
}

type Hear = (pending: unknown) => void
type Way = (parts: MempoolParts, hear: Hear) => Promise<Stop | null>

const whole: Way = ({ socket, tokens, watch }, hear) =>
  socket.subscribe(['newPendingTransactions', true], hear, (text) =>
    isForNobody(text, { tokens, watch }),
  )
const hashes: Way = ({ socket }, hear) => socket.subscribe(['newPendingTransactions'], hear)
const filtered: Way = (parts, hear) => new AddressFilter(parts, hear).start()

/** The ways of each mode, best first: the first that the node grants is taken. */
const ways: Readonly<Record<PendingMode, readonly Way[]>> = {
  auto: [whole, hashes],
  full: [whole],
  hashes: [hashes],
  alchemy: [filtered],
  none: [],
}

const secondLookMs = 150

/**
 * Listens to one connection's pending transactions, and to what a sequencer promises where there is
 * one. Best effort by nature: what is missed here is found in its block. A node without a public
 * mempool is no fault.
 */
export class Mempool {
  readonly #parts: MempoolParts
  readonly #kept: readonly Standing[]

  constructor(parts: MempoolParts) {
    this.#parts = parts
    const { clock, limits, socket, changed, mode, preconfirmations } = parts
    const keep = (subscribe: () => Promise<Stop | null>): Standing =>
      new Standing({ clock, limits, closed: socket.closed, changed, subscribe })
    this.#kept = [
      ...(mode === 'none' ? [] : [keep(() => this.#pending())]),
      ...(preconfirmations === 'none' ? [] : [keep(() => this.#promised())]),
    ]
  }

  /** The node refuses for now to tell what is pending: blocks will. */
  get isRefused(): boolean {
    return this.#kept.some(({ isRefused }) => isRefused)
  }

  /** Subscribes, anew if it was before. What was pending already is told too, a little later. */
  async subscribe(): Promise<void> {
    await Promise.all(this.#kept.map((one) => one.begin()))
  }

  async #pending(): Promise<Stop | null> {
    const { mode, log, node, clock, limits } = this.#parts
    try {
      for (const way of ways[mode]) {
        const stop = await way(this.#parts, (pending) => this.#hear(pending))
        if (stop !== null) return stop
      }
      log.info({}, 'the node shows no pending transactions; blocks will tell')
      return null
    } finally {
      // Not waited for: blocks are read meanwhile. Nothing falls between it and the subscription.
      void readBacklog({ node, clock, limits }, (transaction) => this.#match(transaction))
    }
  }

  async #promised(): Promise<Stop | null> {
    const stop = await hearPreconfirmations(this.#parts)
    if (stop === null) {
      this.#parts.log.info({}, 'the node shows no pre-confirmations; blocks will tell')
    }
    return stop
  }

  /** Nodes that ignore the wish for whole objects send hashes: the message decides, not the wish. */
  #hear(pending: unknown): void {
    if (typeof pending === 'string') void this.#lookUp(pending)
    else this.#match(pending)
  }

  /** Some nodes announce a hash a moment before they can show the transaction. Never rejects. */
  async #lookUp(txHash: string): Promise<void> {
    const { node, clock } = this.#parts
    try {
      const shown = await node.transaction(txHash)
      if (shown === null) await clock.sleep(secondLookMs)
      this.#match(shown ?? (await node.transaction(txHash)))
    } catch {
      // A courtesy: of too many the line drops the oldest, and a node in trouble shows elsewhere.
    }
  }

  #match(transaction: unknown): void {
    const sighting = sightingOf(transaction, this.#parts)
    if (sighting !== null) this.#parts.tell(sighting)
  }
}
